import { AppError } from '../app-error.ts';
import type { Destination, Source } from './place.ts';
import type { StoreClient, StoreObject } from './store-client.ts';

const mebibyte = 1024 * 1024;
const firstPart = 8 * mebibyte;
const rangeBytes = 8 * mebibyte;
// A store takes 10,000 parts: they grow, so that 440 GB fit, and memory stays below 100 MiB.
const partBytes = (number: number) => firstPart * (1 + Math.floor(number / 1_000));

const nameOf = ({ bucket, key }: StoreObject) => `s3://${bucket}/${key}`;

/** Sends the parts of one object; it is there when the last request has put them together. Errors: `already_exists`, `unavailable`. */
export async function createStoreDestination(send: StoreClient, object: StoreObject): Promise<Destination> {
  const { status } = await send({ method: 'HEAD', object, expects: [404] });
  if (status !== 404) {
    throw new AppError('already_exists', `${nameOf(object)} is there already. Give the backup another name.`);
  }
  const begun = await send({ method: 'POST', object, query: { uploads: '' } });
  const upload = unescapeXml(/<UploadId>([^<]+)<\/UploadId>/.exec(begun.body.toString())?.[1] ?? '');
  if (upload === '') throw new AppError('unavailable', 'The store began no upload. Check that it speaks S3 multipart.');
  const etags: string[] = [];
  let waiting: Buffer[] = [];
  let size = 0;
  const sendPart = async () => {
    const body = Buffer.concat(waiting);
    waiting = [];
    size = 0;
    const query = { partNumber: String(etags.length + 1), uploadId: upload };
    const { headers } = await send({ method: 'PUT', object, query, body });
    if (typeof headers.etag !== 'string') throw new AppError('unavailable', 'The store gave a part no ETag.');
    etags.push(headers.etag);
  };
  return {
    name: nameOf(object),
    async write(bytes) {
      waiting.push(bytes);
      size += bytes.length;
      if (size >= partBytes(etags.length)) await sendPart();
    },
    async finish() {
      if (size > 0) await sendPart();
      const parts = etags.map(
        (etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`,
      );
      const body = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`);
      await send({ method: 'POST', object, query: { uploadId: upload }, body });
    },
    async abort() {
      await send({ method: 'DELETE', object, query: { uploadId: upload }, expects: [404] });
    },
  };
}

export async function openStoreSource(send: StoreClient, object: StoreObject): Promise<Source> {
  const { headers } = await send({ method: 'HEAD', object });
  const size = Number(headers['content-length']);
  if (!Number.isSafeInteger(size))
    throw new AppError('unavailable', `The store does not say how long ${nameOf(object)} is.`);
  const same: Record<string, string> = typeof headers.etag === 'string' ? { 'if-match': headers.etag } : {};
  const read = async (offset: number, length: number) => {
    const range = `bytes=${offset}-${offset + length - 1}`;
    const { body } = await send({ method: 'GET', object, headers: { ...same, range }, maxBytes: length });
    if (body.length !== length) throw new AppError('unavailable', `The store sent another part of ${nameOf(object)}.`);
    return body;
  };
  return {
    name: nameOf(object),
    size,
    read,
    async *stream(from) {
      for (let at = from; at < size; at += rangeBytes) yield await read(at, Math.min(rangeBytes, size - at));
    },
    async beside(name) {
      const other = { bucket: object.bucket, key: object.key.replace(/[^/]*$/, name) };
      const { status } = await send({ method: 'HEAD', object: other, expects: [404] });
      return status === 404 ? undefined : openStoreSource(send, other);
    },
    close: async () => undefined,
  };
}

const signs: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeXml = (text: string) => text.replace(/[&<>"]/g, (sign) => signs[sign] as string);
const unescapeXml = (text: string) =>
  Object.entries(signs).reduceRight((changed, [sign, written]) => changed.replaceAll(written, sign), text);
