import type { Redaction } from '@damask/contracts/guard.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import type { runOperations } from '@damask/contracts/run-operations.ts';
import { AppError } from '#platform/app-error.ts';
import type { FoundCounts } from '#platform/redact/redactor.ts';
import type { TextThreads } from '#platform/redact/text-threads.ts';
import type { StoredAttachment } from '../conversation/turn-text.ts';
import type { Payload } from '../run/payloads.ts';
import { bareJson } from '../run/structured-output.ts';

type Given = Pick<InputOf<(typeof runOperations)['renderRun']>, 'input' | 'variables' | 'attachments' | 'tool_turns'>;

/** What of a request holds texts of its sender, as it may go to the model. Errors: `attachment_not_supported`. */
export async function redactRequest<Request extends Given>(
  threads: TextThreads,
  rules: Redaction,
  request: Request,
): Promise<Request> {
  const files = request.attachments?.findIndex(({ type }) => type !== 'text') ?? -1;
  if (files !== -1) {
    throw new AppError(
      'attachment_not_supported',
      'This pattern keeps personal data from the model, and nobody can look through an image or a PDF. Send its text.',
      { pointer: `/attachments/${files}` },
    );
  }
  const { input, variables, attachments, tool_turns } = request;
  const { values } = await redactStrings(threads, rules, { input, variables, attachments, tool_turns });
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return { ...request, ...(Object.fromEntries(given) as Given) };
}

/** A run's texts as they are stored, and how often what was taken out of them. */
export async function redactPayload(
  threads: TextThreads,
  rules: Redaction,
  payload: Payload,
): Promise<{ readonly payload: Payload; readonly redacted: FoundCounts }> {
  const { subject, json, attachments, asked, ...texts } = payload;
  const { model, parameters, language, tools, tool_choice, tool_turns } = asked ?? {};
  const whole = { ...texts, attachments: attachments?.map(withoutFile), tool_turns };
  const { values, counts } = await redactStrings(threads, rules, whole);
  const kept = { model, parameters, language, tools, tool_choice, tool_turns: values.tool_turns };
  const clean: Payload = {
    input: values.input,
    variables: values.variables,
    output: values.output,
    ...(values.tool_calls ? { tool_calls: values.tool_calls } : {}),
    ...(values.attachments ? { attachments: values.attachments } : {}),
    ...(subject === undefined ? {} : { subject }),
    ...(asked ? { asked: Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)) } : {}),
    // A number that was taken out may leave no JSON.
    ...(json && isJson(values.output) ? { json } : {}),
  };
  return { payload: clean, redacted: counts };
}

/** Nobody can look through an image or a PDF, so their bytes are not kept. */
export function withoutFile(file: StoredAttachment): StoredAttachment {
  if (file.type === 'text') return file;
  const { data: _, ...rest } = file;
  return rest;
}

/** The texts in their order. */
export async function redactTexts(threads: TextThreads, rules: Redaction, texts: readonly string[]) {
  return (await threads.redact(rules, texts)).texts;
}

/** Fields that say what something is, and hold no text of anybody; a variable may have any name. */
const names = new Set(['type', 'media_type', 'role', 'id', 'sha256', 'tool_call_id']);

/** The same value with each text in it redacted; all texts are looked through in one go. */
export async function redactStrings<Value>(
  threads: TextThreads,
  rules: Redaction,
  value: Value,
): Promise<{ readonly values: Value; readonly counts: FoundCounts }> {
  const texts: string[] = [];
  walk(value, (text) => {
    texts.push(text);
    return text;
  });
  const { texts: clean, counts } = await threads.redact(rules, texts);
  let at = 0;
  return { values: walk(value, () => clean[at++] as string) as Value, counts };
}

function walk(value: unknown, change: (text: string) => string, all = false): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => walk(item, change, all));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) =>
    !all && names.has(name) ? [name, inner] : [name, walk(inner, change, all || name === 'variables')],
  );
  return Object.fromEntries(entries);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(bareJson(text));
    return true;
  } catch {
    return false;
  }
}
