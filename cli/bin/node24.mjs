// Plain JavaScript for any Node from 18 on: it runs before anything is installed.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const oldest = [24, 12];

/** True when the running Node takes our TypeScript as it is. */
export function isNewEnough(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}

/**
 * A Node of at least 24.12: our own, else the one that the house installs for itself; undefined when there is none.
 * Not node_modules/.bin/node: npm 10 leaves that link out when packages for other machines declare the same program.
 */
export function findNode24(houseRoot) {
  if (isNewEnough()) return process.execPath;
  const bundled = join(houseRoot, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  return existsSync(bundled) ? bundled : undefined;
}
