import { Readable } from 'node:stream';
import { spec } from 'node:test/reporters';

/** Node's `spec` report, and after it one plain line with the totals. */
export default async function* report(source) {
  let counts = { passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 };
  async function* watched() {
    for await (const event of source) {
      // Each file has a summary of its own; the one of the whole run names no file.
      if (event.type === 'test:summary' && event.data.file === undefined) counts = event.data.counts;
      yield event;
    }
  }
  yield* Readable.from(watched()).pipe(new spec());
  const { passed, failed, cancelled, skipped, todo } = counts;
  yield `\n${passed} passed, ${failed + cancelled} failed, ${skipped + todo} skipped\n`;
}
