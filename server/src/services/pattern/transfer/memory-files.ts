/** A file system in memory, in the form that isomorphic-git asks for. It has files and folders only, and never touches the disk. */
export function createMemoryFiles(onFile: (path: string, content: Buffer) => void) {
  const files = new Map<string, Buffer>();
  const folders = new Set<string>(['/']);

  const readFile = async (path: string, options?: string | { encoding?: string }) => {
    const content = files.get(path);
    if (!content) throw failure(folders.has(path) ? 'EISDIR' : 'ENOENT', path);
    const encoding = typeof options === 'string' ? options : options?.encoding;
    return encoding === undefined ? content : content.toString('utf8');
  };
  const writeFile = async (path: string, content: string | Uint8Array) => {
    if (!folders.has(parentOf(path))) throw failure('ENOENT', path);
    const bytes = typeof content === 'string' ? Buffer.from(content) : asBuffer(content);
    onFile(path, bytes);
    files.set(path, bytes);
  };
  const mkdir = async (path: string) => {
    if (folders.has(path) || files.has(path)) throw failure('EEXIST', path);
    if (!folders.has(parentOf(path))) throw failure('ENOENT', path);
    folders.add(path);
  };
  const readdir = async (path: string) => {
    if (!folders.has(path)) throw failure(files.has(path) ? 'ENOTDIR' : 'ENOENT', path);
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...files.keys(), ...folders]
      .filter((each) => each.startsWith(prefix) && each.length > prefix.length && !each.includes('/', prefix.length))
      .map((each) => each.slice(prefix.length));
  };
  const stat = async (path: string) => {
    const content = files.get(path);
    if (!content && !folders.has(path)) throw failure('ENOENT', path);
    return {
      ...noTimes,
      mode: content ? 0o100644 : 0o040000,
      size: content?.length ?? 0,
      isFile: () => content !== undefined,
      isDirectory: () => content === undefined,
      isSymbolicLink: () => false,
    };
  };
  const remove = async (path: string) => {
    if (!files.delete(path) && !folders.delete(path)) throw failure('ENOENT', path);
  };
  const never = async (path: string): Promise<never> => {
    throw failure('EPERM', path);
  };
  return {
    promises: {
      ...{ readFile, writeFile, mkdir, readdir, stat, lstat: stat },
      ...{ unlink: remove, rmdir: remove, readlink: never, symlink: never, chmod: never },
    },
  };
}

const noTimes = { ctimeMs: 0, mtimeMs: 0, dev: 0, ino: 0, uid: 0, gid: 0 };

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
