/** Tells each line of a text that comes in pieces, without its end; empty ones are passed over. */
export function createLineSplitter(take: (line: string) => void) {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let rest = '';
  return {
    add(piece: Uint8Array): void {
      const parts = (rest + decoder.decode(piece, { stream: true })).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) if (line !== '') take(line);
    },
    end(): void {
      if (rest.trim() !== '') take(rest);
    },
  };
}
