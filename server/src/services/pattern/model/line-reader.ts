import { StringDecoder } from 'node:string_decoder';

/** Characters that one line of a provider's stream may have. */
const longestLine = 1024 * 1024;

/** Cuts a byte stream into `data:` lines of server-sent events; characters split between chunks are joined. */
export function createDataLines(onData: (data: string) => void): { push(chunk: Buffer): boolean } {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return {
    /** Answers false when a line is longer than any provider may send. */
    push(chunk) {
      const text = rest === '' ? decoder.write(chunk) : rest + decoder.write(chunk);
      let start = 0;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
        // Some providers end lines with CR LF; fields other than data carry nothing we need.
        const stop = text.charCodeAt(end - 1) === 13 && end > start ? end - 1 : end;
        if (text.startsWith('data:', start))
          onData(text.slice(text.charCodeAt(start + 5) === 32 ? start + 6 : start + 5, stop));
        start = end + 1;
      }
      rest = start === 0 ? text : text.slice(start);
      return rest.length <= longestLine;
    },
  };
}
