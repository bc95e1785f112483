import type { ContentPart, Message } from '@damask/contracts/message.ts';
import type { Capability, Model } from '@damask/contracts/model.ts';
import { AppError } from '#platform/app-error.ts';
import { newBudget, type PdfTexts } from './pdf-texts.ts';

/** The model that gets the messages. */
export interface Reader {
  /** `provider/model`; null: none is configured. */
  readonly name: string | null;
  /** Null: not known. */
  readonly capabilities: readonly Capability[] | null;
  /** Models that could be used instead. */
  readonly others: () => readonly Model[];
}

/**
 * Messages as the model takes them: a PDF goes out as it is to a model that is known to read it, and as its text otherwise.
 * Errors: `attachment_not_supported` for images where the model is known not to take them.
 */
export async function fitAttachments(
  messages: readonly Message[],
  reader: Reader,
  pdfTexts: PdfTexts,
): Promise<readonly Message[]> {
  if (messages.every(({ content }) => typeof content === 'string')) return messages;
  const fitted: Message[] = [];
  const budget = newBudget();
  const read: ReadPdf = (name, bytes) => pdfTexts.read(name, bytes, budget);
  for (const message of messages) {
    fitted.push({ ...message, content: await fitContent(message.content, reader, read) });
  }
  return fitted;
}

type ReadPdf = (name: string, bytes: Buffer) => Promise<readonly string[]>;

async function fitContent(content: Message['content'], reader: Reader, read: ReadPdf): Promise<Message['content']> {
  if (typeof content === 'string') return content;
  const parts: ContentPart[] = [];
  for (const part of content) {
    if (part.type === 'image' && reader.capabilities?.includes('images') === false) throw noImages(reader);
    if (part.type !== 'document' || reader.capabilities?.includes('pdf')) parts.push(part);
    else parts.push({ type: 'text', text: await textOfPdf(part.name, part.data, read) });
  }
  // Plain text is what every server of every protocol reads.
  const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  return texts.length === parts.length ? texts.join('\n\n') : parts;
}

async function textOfPdf(name: string, data: string, read: ReadPdf): Promise<string> {
  const pages = await read(name, Buffer.from(data, 'base64'));
  const count = `${pages.length} ${pages.length === 1 ? 'page' : 'pages'}`;
  return `--- text of ${name} (application/pdf, ${count}) ---\n${pages.join('\n\n')}\n--- end of the text of ${name} ---`;
}

function noImages({ name, others }: Reader): AppError {
  const able = others()
    .filter((model) => model.capabilities?.includes('images'))
    .sort((one, other) => Number(other.ready) - Number(one.ready))
    .slice(0, 5);
  const way =
    able.length > 0
      ? `These do: ${able.map((model) => model.name).join(', ')}.`
      : 'None of the models here is known to; `damask providers` shows how to add one that does.';
  return new AppError('attachment_not_supported', `${name ?? 'The model'} does not take images. ${way}`, {
    pointer: '/attachments',
  });
}
