/** What the first bytes of a file say that it is; undefined for what no model takes. */
export function mediaTypeOf(bytes: Uint8Array): string | undefined {
  return kinds.find(({ marks }) => marks.every(([at, mark]) => startsAt(bytes, at, mark)))?.mediaType;
}

const text = (mark: string) => [...mark].map((character) => character.charCodeAt(0));

const kinds: readonly {
  readonly mediaType: string;
  readonly marks: readonly [at: number, mark: readonly number[]][];
}[] = [
  { mediaType: 'image/png', marks: [[0, [0x89, ...text('PNG\r\n\x1a\n')]]] },
  { mediaType: 'image/jpeg', marks: [[0, [0xff, 0xd8, 0xff]]] },
  { mediaType: 'image/gif', marks: [[0, text('GIF87a')]] },
  { mediaType: 'image/gif', marks: [[0, text('GIF89a')]] },
  {
    mediaType: 'image/webp',
    marks: [
      [0, text('RIFF')],
      [8, text('WEBP')],
    ],
  },
  { mediaType: 'application/pdf', marks: [[0, text('%PDF-')]] },
];

function startsAt(bytes: Uint8Array, at: number, mark: readonly number[]): boolean {
  return mark.every((byte, index) => bytes[at + index] === byte);
}
