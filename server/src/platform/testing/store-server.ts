import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StoreServer {
  readonly url: string;
  readonly objects: Map<string, Buffer>;
  /** Uploads that were begun and neither put together nor given up. */
  readonly uploads: Map<string, Map<number, Buffer>>;
  readonly requests: string[];
  /** Answers the next requests with this status, or breaks off with 0. */
  failNext(status: number, times?: number): void;
  close(): Promise<void>;
}

const smallestPart = 5 * 1024 * 1024;
const hex = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');

/** The part of S3 that backups speak, in memory; it checks each signature from the request as it came. */
export async function startStoreServer(key: { id: string; secret: string; region: string }): Promise<StoreServer> {
  const objects = new Map<string, Buffer>();
  const uploads = new Map<string, Map<number, Buffer>>();
  const requests: string[] = [];
  let failure = { status: 0, times: 0 };

  const server = createServer((request, response) => {
    void (async () => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece);
      requests.push(`${request.method} ${request.url}`);
      if (failure.times > 0) {
        failure.times -= 1;
        if (failure.status === 0) request.socket.destroy();
        else response.writeHead(failure.status).end('<Error><Code>SlowDown</Code></Error>');
        return;
      }
      const body = Buffer.concat(pieces);
      const wrong = checkSignature(request, body, key);
      if (wrong) refuse(response, 403, wrong);
      else answer(request, response, body);
    })();
  });

  function answer(request: IncomingMessage, response: ServerResponse, body: Buffer) {
    const url = new URL(request.url ?? '', 'http://store');
    const name = decodeURIComponent(url.pathname.slice(1));
    const upload = url.searchParams.get('uploadId');
    const stored = objects.get(name);
    if (!name.startsWith('bucket/')) refuse(response, 404, 'NoSuchBucket');
    else if (request.method === 'POST' && url.searchParams.has('uploads')) {
      const id = `upload&${uploads.size + 1}`;
      uploads.set(id, new Map());
      response.end(
        `<InitiateMultipartUploadResult><UploadId>${id.replace('&', '&amp;')}</UploadId></InitiateMultipartUploadResult>`,
      );
    } else if (upload !== null && !uploads.has(upload)) refuse(response, 404, 'NoSuchUpload');
    else if (upload !== null && request.method === 'PUT') {
      uploads.get(upload)?.set(Number(url.searchParams.get('partNumber')), body);
      response.setHeader('etag', `"${hex(body)}"`).end();
    } else if (upload !== null && request.method === 'DELETE') {
      uploads.delete(upload);
      response.writeHead(204).end();
    } else if (upload !== null && request.method === 'POST') complete(name, upload, body, response);
    else if (!stored) refuse(response, 404, 'NoSuchKey');
    else if (request.headers['if-match'] && request.headers['if-match'] !== `"${hex(stored)}"`)
      refuse(response, 412, 'PreconditionFailed');
    else {
      const [, from = '0', to = ''] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
      const part = stored.subarray(Number(from), to === '' ? undefined : Number(to) + 1);
      response.writeHead(to === '' ? 200 : 206, { etag: `"${hex(stored)}"`, 'content-length': part.length });
      response.end(request.method === 'HEAD' ? undefined : part);
    }
  }

  function complete(name: string, upload: string, body: Buffer, response: ServerResponse) {
    const parts = uploads.get(upload) as Map<number, Buffer>;
    const named = [
      ...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>&quot;([0-9a-f]+)&quot;<\/ETag>/g),
    ];
    const chosen = named.map(([, number, tag]) => ({ bytes: parts.get(Number(number)), tag }));
    // As AWS does: the status went out before the parts were looked at.
    if (chosen.some(({ bytes, tag }) => !bytes || hex(bytes) !== tag) || chosen.length === 0)
      return refuse(response, 200, 'InvalidPart');
    if (chosen.slice(0, -1).some(({ bytes }) => (bytes as Buffer).length < smallestPart))
      return refuse(response, 200, 'EntityTooSmall');
    objects.set(name, Buffer.concat(chosen.map(({ bytes }) => bytes as Buffer)));
    uploads.delete(upload);
    response.end('<CompleteMultipartUploadResult/>');
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    uploads,
    requests,
    failNext(status, times = 1) {
      failure = { status, times };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status).end(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`);
}

/** Undefined when the request was signed with the key, and over these very bytes. */
function checkSignature(request: IncomingMessage, body: Buffer, key: { id: string; secret: string; region: string }) {
  const sent =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    );
  if (!sent) return 'AccessDenied';
  const [, id, day = '', region = '', names = '', signature = ''] = sent;
  if (id !== key.id) return 'InvalidAccessKeyId';
  if (region !== key.region) return 'AuthorizationHeaderMalformed';
  if (request.headers['x-amz-content-sha256'] !== hex(body)) return 'XAmzContentSHA256Mismatch';
  if (!names.split(';').includes('host')) return 'AccessDenied';
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const lines = names.split(';').map((name) => `${name}:${String(request.headers[name])}\n`);
  const sorted = query
    .split('&')
    .filter(Boolean)
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .sort();
  const canonical = `${request.method}\n${path}\n${sorted.join('&')}\n${lines.join('')}\n${names}\n${hex(body)}`;
  const toSign = `AWS4-HMAC-SHA256\n${request.headers['x-amz-date']}\n${day}/${region}/s3/aws4_request\n${hex(canonical)}`;
  let secret: Buffer = Buffer.from(`AWS4${key.secret}`);
  for (const part of [day, region, 's3', 'aws4_request', toSign])
    secret = createHmac('sha256', secret).update(part).digest();
  return timingSafeEqual(secret, Buffer.from(signature, 'hex')) ? undefined : 'SignatureDoesNotMatch';
}
