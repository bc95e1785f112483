import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What code of others could do with the process that it runs in. */
export const powers: Readonly<Record<string, RegExp>> = {
  // In a text or a comment it counts too: a word that is gone is easier to judge than one that is harmless.
  eval: /\beval\s*\(|\bnew (?:globalThis\.)?Function\s*\(|\bglobalThis\.(?:Function|eval)\b|[^.\w]Function\s*\(\s*['"`]|\b(?:Async|Generator)Function\s*\(\s*['"`]/,
  vm: module('vm'),
  program: module('child_process|cluster'),
  network: module('net|tls|http|https|http2|dgram|dns|dns/promises|undici'),
  fetch:
    /(?<![.\w$])fetch\s*\(|(?:globalThis|window|self|global)\s*\.\s*fetch\b|(?:\|\||\?\?|=)\s*fetch\b|\bnew (?:WebSocket|EventSource|XMLHttpRequest)\s*\(/,
  native: /\bprocess\.(?:dlopen|binding|_linkedBinding)\b|\.node['"`]\s*\)|\bWebAssembly\s*\./,
  threads: module('worker_threads'),
  inspector: module('inspector|inspector/promises|repl|wasi'),
};

function module(names: string): RegExp {
  return new RegExp(
    `(?:require|import|getBuiltinModule)\\s*\\(\\s*['"\`](?:node:)?(?:${names})['"\`]|from\\s*['"](?:node:)?(?:${names})['"]|import\\s*['"](?:node:)?(?:${names})['"]`,
  );
}

export function powersOf(source: string): string[] {
  return Object.entries(powers)
    .filter(([, shape]) => shape.test(source))
    .map(([name]) => name);
}

/** The powers of all code of a package, whether we reach it or not: what is loaded can change with a version. */
export function powersOfFolder(folder: string): string[] {
  const found = new Set<string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(js|cjs|mjs)$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const inside = path.slice(folder.length);
    // Packages within are listed by themselves; tests and tools of a package are not loaded by anybody.
    if (/\/(node_modules|test|tests|__tests__|example|examples|bench|benchmark|benchmarks|scripts)\//.test(inside))
      continue;
    for (const power of powersOf(readFileSync(path, 'utf8'))) found.add(power);
  }
  return [...found].sort();
}
