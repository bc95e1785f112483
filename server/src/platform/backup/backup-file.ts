import { createHash } from 'node:crypto';
import { AppError } from '../app-error.ts';
import type { KeyEncryptionKey } from '../crypto/key-file.ts';
import { backupKey } from './backup-key.ts';
import { type Frame, type FrameKey, longestFrame, openFrame } from './frames.ts';
import { formatVersion, type Manifest, parseManifest } from './manifest.ts';
import type { Source } from './place.ts';

/** The head of a file, which is not secret. */
export interface BackupHead {
  readonly backup: string;
  /** Which key the backup was sealed with. */
  readonly kek: string;
  /** Of a key that others keep: the key of this backup alone, wrapped by it, in base64. */
  readonly wrapped?: string;
  readonly salt: string;
  readonly begun_at: string;
  readonly damask: string;
}

// magic, format, length of the head; head; frames; offset and number of the last frame, magic.
const magic = Buffer.from('DAMASKBK');
const endMagic = Buffer.from('DMSKEND1');
const fixedBytes = magic.length + 2 + 4;
const endBytes = 8 + 8 + endMagic.length;
const longestHead = 64 * 1024;

export function writeHead(head: BackupHead): Buffer {
  const text = Buffer.from(JSON.stringify(head));
  const fixed = Buffer.alloc(fixedBytes);
  magic.copy(fixed);
  fixed.writeUInt16BE(formatVersion, magic.length);
  fixed.writeUInt32BE(text.length, magic.length + 2);
  return Buffer.concat([fixed, text]);
}

export function writeEnd(lastOffset: number, lastNumber: number): Buffer {
  const end = Buffer.alloc(endBytes);
  end.writeBigUInt64BE(BigInt(lastOffset), 0);
  end.writeBigUInt64BE(BigInt(lastNumber), 8);
  endMagic.copy(end, 16);
  return end;
}

export function frameKey(kek: KeyEncryptionKey, head: BackupHead, headBytes: Buffer): FrameKey {
  const digest = createHash('sha256').update(headBytes).digest();
  return { key: backupKey(kek, Buffer.from(head.salt, 'base64')), head: digest };
}

/** Finds the key that a backup was sealed with. Errors: `unavailable` when it is not at hand. */
export type FindBackupKey = (head: BackupHead) => Promise<KeyEncryptionKey | undefined>;

export interface OpenedBackup {
  readonly source: Source;
  readonly head: BackupHead;
  /** Needs the key. Errors: `unavailable` for another key, `invalid_request` for a file that is cut off or was changed. */
  readManifest(kek: KeyEncryptionKey | FindBackupKey): Promise<Manifest>;
  /** All frames in order. Throws where the file is not what was written. */
  frames(kek: KeyEncryptionKey | FindBackupKey): AsyncGenerator<Frame>;
}

/** Reads the head. Errors: `invalid_request` when it is no backup, or one of a newer Damask. */
export async function openBackup(source: Source): Promise<OpenedBackup> {
  const { head, bytes } = await readHead(source);
  const keyOf = async (given: KeyEncryptionKey | FindBackupKey) => {
    const kek = typeof given === 'function' ? await given(head) : given;
    if (kek?.id === head.kek) return frameKey(kek, head, bytes);
    throw new AppError(
      'unavailable',
      `${source.name} was sealed with the key ${head.kek}, which is not at hand. Point DAMASK_KEY_FILE to that key or set what DAMASK_KEY_SOURCE needs to reach it, or bring it back with \`damask key import\`.`,
    );
  };
  return {
    source,
    head,
    async readManifest(kek) {
      const key = await keyOf(kek);
      const { offset, number } = await readEnd(source, bytes.length);
      const sealed = await source.read(offset + 4, source.size - endBytes - offset - 4);
      const frame = await openFrame(key, number, sealed, true).catch((error: unknown) => {
        throw damaged(source, 'its last part was changed', error);
      });
      return parseManifest(frame.body.toString());
    },
    async *frames(kek) {
      yield* readFrames(source, bytes.length, await keyOf(kek));
    },
  };
}

async function readHead(source: Source): Promise<{ head: BackupHead; bytes: Buffer }> {
  if (source.size < fixedBytes) throw notBackup(source);
  const fixed = await source.read(0, fixedBytes);
  if (!fixed.subarray(0, magic.length).equals(magic)) throw notBackup(source);
  const format = fixed.readUInt16BE(magic.length);
  if (format > formatVersion) {
    throw new AppError(
      'invalid_request',
      `${source.name} has the form ${format}, and this Damask reads up to ${formatVersion}. Install the version that wrote it or a newer one.`,
    );
  }
  const length = fixed.readUInt32BE(magic.length + 2);
  if (length > longestHead || fixedBytes + length > source.size) throw damaged(source, 'its head is cut off');
  const text = await source.read(fixedBytes, length);
  try {
    return { head: JSON.parse(text.toString()) as BackupHead, bytes: Buffer.concat([fixed, text]) };
  } catch (error) {
    throw damaged(source, 'its head was changed', error);
  }
}

async function readEnd(source: Source, headLength: number): Promise<{ offset: number; number: number }> {
  if (source.size < headLength + 4 + endBytes) throw damaged(source, 'it is cut off');
  const end = await source.read(source.size - endBytes, endBytes);
  const offset = Number(end.readBigUInt64BE(0));
  const fits = offset >= headLength && offset + 4 < source.size - endBytes;
  if (!end.subarray(16).equals(endMagic) || !fits || source.size - offset > longestFrame) {
    throw damaged(source, 'it is cut off, or was not written to its end');
  }
  return { offset, number: Number(end.readBigUInt64BE(8)) };
}

async function* readFrames(source: Source, headLength: number, key: FrameKey): AsyncGenerator<Frame> {
  const { offset: last } = await readEnd(source, headLength);
  let offset = headLength;
  let pending: Buffer = Buffer.alloc(0);
  let number = 0;
  for await (const piece of source.stream(headLength)) {
    pending = pending.length === 0 ? piece : Buffer.concat([pending, piece]);
    for (;;) {
      if (offset > last || pending.length < 4) break;
      const length = pending.readUInt32BE(0);
      if (length < 16 || length > longestFrame) throw damaged(source, `the length at byte ${offset} was changed`);
      if (pending.length < 4 + length) break;
      const sealed = pending.subarray(4, 4 + length);
      const frame = await openFrame(key, number, sealed, offset === last).catch((error: unknown) => {
        throw damaged(source, `the part at byte ${offset} was changed, moved or left out`, error);
      });
      pending = pending.subarray(4 + length);
      offset += 4 + length;
      number += 1;
      yield frame;
    }
  }
  if (offset !== source.size - endBytes || pending.length !== endBytes) throw damaged(source, 'its end was changed');
}

export function damaged(source: Pick<Source, 'name'>, what: string, cause?: unknown): AppError {
  return new AppError(
    'invalid_request',
    `${source.name} is damaged: ${what}. Take another backup; \`damask backup verify\` checks one.`,
    {},
    { cause },
  );
}

function notBackup({ name }: Source): AppError {
  return new AppError('invalid_request', `${name} is no backup of Damask. Name a file that \`damask backup\` wrote.`);
}
