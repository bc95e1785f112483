import type { KeptAttachment } from '@damask/contracts/attachment.ts';
import type { ContentPart, Message } from '@damask/contracts/message.ts';
import type { ReadAttachment } from './read-attachments.ts';
import type { OpenTurn, StoredAttachment } from './turn-text.ts';

/** Bytes of attachments that are kept with a run, and with its turn; of more than that only names, sizes and hashes are. */
const mostKept = 1024 * 1024;

/** The text of the user's message: the input, then each text that is attached, marked with its name and place. */
export function withTexts(
  input: string,
  attachments: readonly ReadAttachment[],
  around = (text: string) => text,
): string {
  const texts = attachments.filter(({ type }) => type === 'text');
  const blocks = texts.map(({ name, media_type, bytes, data }, index) => {
    const number = `attachment ${index + 1} of ${texts.length}`;
    return `--- ${number}: ${name} (${media_type}, ${bytes} bytes) ---\n${around(data)}\n--- end of ${number} ---`;
  });
  return [...(input.trim() === '' && blocks.length > 0 ? [] : [input]), ...blocks].join('\n\n');
}

/** Content of a user's message: a text alone stays one; images and documents stand before it. */
export function withFiles(text: string, attachments: readonly StoredAttachment[]): string | ContentPart[] {
  const files = attachments.flatMap((file) => toPart(file) ?? []);
  const gone = attachments
    .filter(({ type, data }) => type !== 'text' && data === undefined)
    .map(
      ({ name, media_type, bytes }) =>
        `--- ${name} (${media_type}, ${bytes} bytes) was attached here; it is not kept ---`,
    );
  const words = [...(text.trim() === '' && attachments.length > 0 ? [] : [text]), ...gone].join('\n\n');
  if (files.length === 0) return words;
  return words === '' ? files : [...files, { type: 'text', text: words }];
}

function toPart({ type, name, media_type, data }: StoredAttachment): ContentPart | undefined {
  if (data === undefined || type === 'text') return undefined;
  if (type === 'image') return { type, media_type, data };
  return { type: 'document', media_type: 'application/pdf', name, data };
}

/** What is kept of attachments: their bytes too while all of them are small enough together. */
export function keepAttachments(attachments: readonly ReadAttachment[]): StoredAttachment[] {
  const small = attachments.reduce((sum, { bytes }) => sum + bytes, 0) <= mostKept;
  return attachments.map(({ data, ...rest }) => (small ? { ...rest, data } : rest));
}

/** What is told of attachments: all but their bytes. */
export function describeAttachments(attachments: readonly StoredAttachment[] = []): KeptAttachment[] {
  return attachments.map(({ data, ...rest }) => ({ ...rest, kept: data !== undefined }));
}

/** Turns as they are sent. What came as a system message from an imported conversation goes out as the user's. */
export function toMessages(turns: readonly OpenTurn[]): Message[] {
  return turns
    .filter(({ role, content, attachments }) => role !== 'meta' && (content.trim() !== '' || attachments.length > 0))
    .map(({ role, content, attachments }) => ({
      role: role === 'assistant' ? role : 'user',
      content: withFiles(content, attachments),
    }));
}
