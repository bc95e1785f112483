import { parentPort } from 'node:worker_threads';
import { extractText, getDocumentProxy } from 'unpdf';
import { closeOtherWays } from '#platform/egress/close-other-ways.ts';

closeOtherWays();

/** What the thread answers: the text of each page, or why there is none. */
export type PdfAnswer = { readonly pages: readonly string[] } | { readonly refused: string };

parentPort?.once('message', async (bytes: Uint8Array) => {
  parentPort?.postMessage(await readPages(bytes));
});

async function readPages(bytes: Uint8Array): Promise<PdfAnswer> {
  try {
    const pdf = await getDocumentProxy(bytes, { verbosity: 0 });
    const { text } = await extractText(pdf, { mergePages: false });
    return { pages: text };
  } catch (error) {
    return { refused: error instanceof Error && error.name === 'PasswordException' ? 'password' : 'damaged' };
  }
}
