import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';

/** Paths of PEM files: the certificate with its chain, and its key. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface TlsPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

const lookEvery = 5_000;
const warnDays = 14;
const day = 86_400_000;

/** Both settings or neither. Throws `invalid_request` when only one is there. */
export function tlsFilesOf(certificate: string | undefined, key: string | undefined): TlsFiles | undefined {
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate !== undefined && key !== undefined) return { certificate, key };
  throw new AppError(
    'invalid_request',
    'DAMASK_TLS_CERTIFICATE and DAMASK_TLS_KEY belong together. Set both to serve HTTPS, or neither.',
  );
}

/** Reads the pair. Throws `invalid_request` that names the file which cannot be used, or says that they do not fit. */
export async function readTlsFiles(files: TlsFiles): Promise<TlsPair & { readonly validTo: number }> {
  const [cert, key] = await Promise.all([
    readPem(files.certificate, 'DAMASK_TLS_CERTIFICATE'),
    readPem(files.key, 'DAMASK_TLS_KEY'),
  ]);
  const certificate = parse(() => new X509Certificate(cert), files.certificate, 'a certificate');
  const privateKey = parse(() => createPrivateKey(key), files.key, 'a private key without a passphrase');
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new AppError('invalid_request', `${files.key} is not the key of ${files.certificate}. Name a pair.`);
  }
  return { cert, key, validTo: Date.parse(certificate.validTo) };
}

async function readPem(path: string, setting: string): Promise<Buffer> {
  return readFile(path).catch((cause: Error) => {
    throw new AppError('invalid_request', `${setting}: ${path} cannot be read: ${cause.message}.`, {}, { cause });
  });
}

function parse<Parsed>(read: () => Parsed, path: string, what: string): Parsed {
  try {
    return read();
  } catch (cause) {
    throw new AppError('invalid_request', `${path} does not hold ${what} in PEM. Write it anew.`, {}, { cause });
  }
}

/**
 * Looks every 5 s whether the files are others, and tells `use` of a pair that fits. A pair that does not, as while one of
 * the two is being written, leaves the last one in use. `stop` ends it.
 */
export function watchTlsFiles(options: {
  readonly files: TlsFiles;
  readonly clock: Clock;
  readonly log: Log;
  readonly use: (pair: TlsPair) => void;
}): { look(): Promise<void>; stop(): void } {
  const { files, clock, log, use } = options;
  let used: string | undefined;
  let refused: string | undefined;
  let warned = 0;
  let stopped = false;

  async function look() {
    const mark = (await Promise.all([markOf(files.certificate), markOf(files.key)])).join(' ');
    used ??= mark;
    if (mark === used) return;
    try {
      const pair = await readTlsFiles(files);
      use(pair);
      used = mark;
      refused = undefined;
      log.info('The certificate was replaced', { valid_to: new Date(pair.validTo).toISOString() });
    } catch (error) {
      if (refused !== mark) log.error('The new certificate cannot be used; the last one stays', { error });
      refused = mark;
    }
  }

  async function warn() {
    if (clock.now() - warned < day) return;
    const { validTo } = await readTlsFiles(files);
    warned = clock.now();
    if (validTo - clock.now() > warnDays * day) return;
    log.warn('The certificate ends soon or has ended; put a new one into its file', {
      file: files.certificate,
      valid_to: new Date(validTo).toISOString(),
    });
  }

  async function again() {
    await look().catch((error: unknown) => log.error('The certificate could not be looked at', { error }));
    await warn().catch(() => undefined);
    if (!stopped) timer = clock.after(lookEvery, () => void again());
  }
  let timer = clock.after(0, () => void again());
  return {
    look,
    stop() {
      stopped = true;
      timer.cancel();
    },
  };
}

/** Changes when the file does, also when a link leads elsewhere. */
async function markOf(path: string): Promise<string> {
  return stat(path).then(
    ({ mtimeMs, size, ino }) => `${mtimeMs}-${size}-${ino}`,
    () => 'none',
  );
}
