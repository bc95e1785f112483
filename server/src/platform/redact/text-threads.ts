import type { Clock } from '../clock.ts';
import { createJobThread } from '../job-thread.ts';
import { createRedactor, type FoundCounts, type RedactionRules } from './redactor.ts';
import type { TextAnswer, TextRequest } from './text-worker.ts';

/** Looks through texts without holding up the process: long texts and expressions of strangers go to a thread of their own. */
export interface TextThreads {
  /**
   * The texts without what the rules name, in the same order, and how often that was found. Where it took too long all texts are
   * `notKept`: nothing may slip through because it was too much.
   */
  redact(rules: RedactionRules, texts: readonly string[]): Promise<RedactedTexts>;
  /** How often each expression is found, in their order; undefined where that took too long, or nobody had the time. */
  count(expressions: readonly string[], text: string): Promise<readonly number[] | undefined>;
  close(): Promise<void>;
}

export interface RedactedTexts {
  readonly texts: readonly string[];
  readonly counts: FoundCounts;
}

/** In the place of texts that could not be looked through. */
export const notKept = '[not kept: it could not be looked through in time]';
/** The count of texts that could not be looked through. */
export const unread = 'not_kept';

/** Characters that are looked through here: about two milliseconds. */
const mostHere = 64 * 1024;

export function createTextThreads({ clock, within = 3_000 }: { clock: Clock; within?: number }): TextThreads {
  const thread = createJobThread<TextRequest, TextAnswer>({
    clock,
    file: new URL('./text-worker.ts', import.meta.url),
    within,
    queue: 1_000,
    tooMuch: { ok: false },
    busy: 'Too many texts are being looked through. Send it again in a moment.',
  });
  return {
    async redact(rules, texts) {
      const length = texts.reduce((sum, text) => sum + text.length, 0);
      if (rules.expressions.length === 0 && length <= mostHere) return redactHere(rules, texts);
      const answer = await thread.do({ kind: 'redact', rules, texts }).catch(() => undefined);
      if (answer?.ok && 'texts' in answer) return { texts: answer.texts, counts: answer.counts };
      return { texts: texts.map((text) => (text === '' ? '' : notKept)), counts: { [unread]: 1 } };
    },
    async count(expressions, text) {
      const answer = await thread.do({ kind: 'count', expressions, text }).catch(() => undefined);
      return answer?.ok && 'found' in answer ? answer.found : undefined;
    },
    close: () => thread.close(),
  };
}

function redactHere(rules: RedactionRules, texts: readonly string[]): RedactedTexts {
  const redactor = createRedactor(rules);
  const counts: Record<string, number> = {};
  return { texts: texts.map((text) => redactor.redact(text, counts)), counts };
}
