/**
 * Why an entry's path could lead out of its folder or be read in two ways, or undefined when it cannot. Holds for everything in an
 * archive, whether it is imported or not; what is imported is looked at more closely by `faultOfPath`.
 */
export function faultOfEntryPath(path: string): string | undefined {
  if (path === '') return 'is an empty name';
  if (Buffer.byteLength(path) > 1024) return 'is longer than 1024 bytes';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\u0000-\u001f\u007f]/.test(path)) return 'holds control characters';
  if (path.startsWith('/')) return 'is absolute';
  if (path.includes('\\')) return 'holds a backslash; pack it again with / between names';
  if (/^[a-z]:/i.test(path)) return 'names a drive';
  for (const name of path.split('/')) {
    if (name === '..' || name === '.') return `holds "${name}"`;
    if (name === '') return 'has an empty name between slashes';
  }
  return undefined;
}
