import { deflateSync } from 'node:zlib';

/** A PDF with a page of text for each argument; the text must have no brackets. */
export function pdfOf(...pages: string[]): Buffer {
  return pdfWith(pages.map((text) => streamOf(Buffer.from(`BT /F1 12 Tf 72 720 Td (${text}) Tj ET`), '')));
}

/** A small PDF whose one page unpacks to this many megabytes. */
export function pdfBomb(megabytes: number): Buffer {
  return pdfWith([streamOf(deflateSync(Buffer.alloc(megabytes * 1024 * 1024, ' '), { level: 9 }), '/FlateDecode')]);
}

function streamOf(bytes: Buffer, filter: string): string {
  const words = filter === '' ? '' : ` /Filter ${filter}`;
  return `<< /Length ${bytes.length}${words} >>\nstream\n${bytes.toString('latin1')}\nendstream`;
}

function pdfWith(streams: readonly string[]): Buffer {
  const pages = streams.map((_, index) => `${4 + 2 * index} 0 R`);
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${pages.join(' ')}] /Count ${pages.length} >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ...streams.flatMap((stream, index) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${5 + 2 * index} 0 R
          /Resources << /Font << /F1 3 0 R >> >> >>`,
      stream,
    ]),
  ];
  let text = '%PDF-1.4\n';
  const places = objects.map((object, index) => {
    const place = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(place).padStart(10, '0')} 00000 n \n`;
  });
  const head = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`;
  const trailer = `trailer << /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`;
  return Buffer.from(text + head + places.join('') + trailer, 'latin1');
}
