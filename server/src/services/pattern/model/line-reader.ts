import { StringDecoder } from 'node:string_decoder';

/** Characters that one line of a provider's stream may have. */
const longestLine = 1024 * 1024;

export interface LineReader {
  /** Answers false when a line is longer than any provider may send. */
  push(chunk: Buffer): boolean;
  /** Takes the bytes as the end of the stream: a last line needs no line break. */
  end(): void;
}

/** Cuts a byte stream into lines; characters split between chunks are joined, LF and CR LF both end a line. */
export function createLines(onLine: (line: string) => void): LineReader {
  const decoder = new StringDecoder('utf8');
  // Only new text is searched: a line that comes byte by byte would otherwise be read over and over.
  let rest = '';
  const tell = (line: string) => {
    const whole = line.charCodeAt(line.length - 1) === 13 ? line.slice(0, -1) : line;
    if (whole !== '') onLine(whole);
  };
  return {
    push(chunk) {
      const text = decoder.write(chunk);
      let start = 0;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
        const line = text.slice(start, end);
        start = end + 1;
        if (rest === '') tell(line);
        else {
          const whole = rest + line;
          rest = '';
          tell(whole);
        }
      }
      rest += start === 0 ? text : text.slice(start);
      return rest.length <= longestLine;
    },
    end() {
      const last = rest + decoder.end();
      rest = '';
      tell(last);
    },
  };
}

/** The same for server-sent events: tells what follows `data:`, and lines of bare JSON, with which some providers end in an error. */
export function createDataLines(onData: (data: string) => void): LineReader {
  return createLines((line) => {
    // Other fields (event, id, retry) and comments carry nothing that the data does not say as well.
    if (line.startsWith('data:')) onData(line.slice(line.charCodeAt(5) === 32 ? 6 : 5));
    else if (line.charCodeAt(0) === 123) onData(line);
  });
}
