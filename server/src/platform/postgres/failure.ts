import { AppError } from '../app-error.ts';

/** Why PostgreSQL did not start, read from what it wrote. `retry` passes by itself within seconds. */
export interface Failure {
  readonly retry: boolean;
  readonly error: AppError;
}

const lastLines = (text: string, count: number) => text.trimEnd().split('\n').slice(-count).join('\n');

/** Turns the end of PostgreSQL's own output into an error with the way out. */
export function explainOutput(output: string, dataDirectory: string, logFile: string): Failure {
  const unavailable = (message: string, retry = false): Failure => ({
    retry,
    error: new AppError('unavailable', message, {}, { cause: new Error(lastLines(output, 20)) }),
  });
  if (/No space left on device|Disk quota exceeded/i.test(output)) return unavailable(diskFull(dataDirectory));
  // Backends of a postmaster that was killed hold its shared memory for a moment longer.
  if (/shared memory block .* is still in use|lock file ".*" already exists/.test(output)) {
    return unavailable(
      `Another PostgreSQL still holds ${dataDirectory}. Wait until it has ended, or stop it (see ${logFile}).`,
      true,
    );
  }
  if (/database files are incompatible with server/.test(output)) {
    return unavailable(
      `The data in ${dataDirectory} was made by another version of PostgreSQL. Use the Damask that made it, ` +
        `or restore a backup into an empty DAMASK_DATA_DIR.`,
    );
  }
  if (/wrong ownership|invalid permissions|Permission denied/.test(output)) return unavailable(noAccess(dataDirectory));
  if (/could not (create|map|resize) .*shared memory|Cannot allocate memory|out of memory/i.test(output)) {
    return unavailable(
      'There is not enough memory for PostgreSQL (it needs about 200 MB). Free some memory and start again.',
    );
  }
  return unavailable(
    `PostgreSQL did not start on ${dataDirectory}. Its last words, all of them in ${logFile}:\n${lastLines(output, 5)}`,
  );
}

/** Turns an error of the file system into one with the way out; others pass through unchanged. */
export function explainFileError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException)?.code ?? '';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AppError('unavailable', diskFull(path), {}, { cause: error });
  }
  if (code === 'EEXIST' || code === 'ENOTDIR' || code === 'ENOENT') {
    return new AppError('unavailable', notFolder(path), {}, { cause: error });
  }
  if (['EACCES', 'EPERM', 'EROFS'].includes(code)) {
    return new AppError('unavailable', noAccess(path), {}, { cause: error });
  }
  return error;
}

function diskFull(path: string): string {
  return `The disk that holds ${path} is full. Free some space and start again, or set DAMASK_DATA_DIR to a folder on another disk. Nothing that was committed is lost.`;
}

function notFolder(path: string): string {
  return `${path} is not a folder and cannot become one. Move away what is there, or set DAMASK_DATA_DIR to another folder.`;
}

function noAccess(path: string): string {
  const user = process.getuid?.() ?? '?';
  return `The user with id ${user} may not use ${path}. It must belong to the user who starts Damask (chown -R) and be closed to others (chmod 700), or set DAMASK_DATA_DIR to another folder.`;
}
