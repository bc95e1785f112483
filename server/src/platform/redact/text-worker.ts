import { parentPort } from 'node:worker_threads';
import { closeOtherWays } from '../egress/close-other-ways.ts';
import { createRedactor, finderOf, type RedactionRules } from './redactor.ts';

/** To the worker: texts and what to take out of them, or a text and expressions of which each is looked for. */
export type TextRequest =
  | { readonly kind: 'redact'; readonly rules: RedactionRules; readonly texts: readonly string[] }
  | { readonly kind: 'count'; readonly expressions: readonly string[]; readonly text: string };

/** How often was found is in the order of the expressions. */
export type TextAnswer =
  | { readonly ok: true; readonly texts: readonly string[]; readonly counts: Readonly<Record<string, number>> }
  | { readonly ok: true; readonly found: readonly number[] }
  | { readonly ok: false };

closeOtherWays();
const port = parentPort;
if (port === null) throw new Error('text-worker.ts is started as a worker thread only');
port.postMessage('loaded');
port.on('message', (request: TextRequest) => port.postMessage(answer(request)));

function answer(request: TextRequest): TextAnswer {
  if (request.kind === 'redact') {
    const counts: Record<string, number> = {};
    const redactor = createRedactor(request.rules);
    return { ok: true, texts: request.texts.map((text) => redactor.redact(text, counts)), counts };
  }
  const { expressions, text } = request;
  return { ok: true, found: expressions.map((expression) => finderOf(expression).find(text).length) };
}
