import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What the published code may expect: the sdk runs in browsers and in Node from 20 on. */
const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2024.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
  skipLibCheck: true,
  types: ['node'],
};

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Builds the folders `sdk` and `cli` in `target`, each ready for `npm publish`: plain JavaScript, and types for the sdk. */
export function buildPackages(target: string): void {
  rmSync(target, { recursive: true, force: true });
  emitWithTypes('sdk', join(target, 'sdk', 'dist'));
  writePackage('sdk', target, {
    engines: { node: '>=20' },
    sideEffects: false,
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    files: ['dist'],
  });
  emitPlain('cli', join(target, 'cli', 'dist'));
  cpSync(join(root, 'cli/bin'), join(target, 'cli/bin'), { recursive: true });
  writePackage('cli', target, { engines: { node: '>=24.12' }, files: ['bin', 'dist'] });
}

function sourcesOf(wing: string): string[] {
  return readdirSync(join(root, wing, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(root, wing, 'src', name));
}

function emitWithTypes(wing: string, outDir: string): void {
  const options = { ...compilerOptions, declaration: true, outDir, rootDir: join(root, wing, 'src') };
  const program = ts.createProgram(sourcesOf(wing), options);
  const { diagnostics } = program.emit();
  refuseProblems([...ts.getPreEmitDiagnostics(program), ...diagnostics]);
  for (const name of readdirSync(outDir)) {
    // Declarations keep the extension of the source, which is not there any more.
    if (name.endsWith('.d.ts')) edit(join(outDir, name), (text) => text.replace(/(from '\.\/[\w-]+)\.ts'/g, "$1.js'"));
  }
}

// The types of a command serve nobody; the check of the house has seen them.
function emitPlain(wing: string, outDir: string): void {
  for (const path of sourcesOf(wing)) {
    const name = relative(join(root, wing, 'src'), path);
    const { outputText, diagnostics } = ts.transpileModule(readFileSync(path, 'utf8'), {
      // A single file has no package.json to say what kind of module it is.
      compilerOptions: {
        ...compilerOptions,
        module: ts.ModuleKind.ESNext,
        moduleResolution: ts.ModuleResolutionKind.Bundler,
      },
      fileName: path,
      reportDiagnostics: true,
    });
    refuseProblems(diagnostics ?? []);
    const file = join(outDir, name.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, outputText);
  }
}

function refuseProblems(diagnostics: readonly ts.Diagnostic[]): void {
  if (diagnostics.length === 0) return;
  const host = {
    getCanonicalFileName: (name: string) => name,
    getCurrentDirectory: () => root,
    getNewLine: () => '\n',
  };
  throw new Error(ts.formatDiagnostics(diagnostics, host));
}

function writePackage(wing: string, target: string, more: object): void {
  const { name, version, license, bin, dependencies } = JSON.parse(
    readFileSync(join(root, wing, 'package.json'), 'utf8'),
  ) as Manifest;
  const manifest = { name, version, license, type: 'module', bin, dependencies, ...more };
  writeFileSync(join(target, wing, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const [from, to] of [
    [`${wing}/README.md`, 'README.md'],
    ['LICENSE', 'LICENSE'],
  ] as const) {
    if (existsSync(join(root, from))) cpSync(join(root, from), join(target, wing, to));
  }
}

function edit(path: string, change: (text: string) => string): void {
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}

if (import.meta.main) {
  const target = join(root, 'dist');
  buildPackages(target);
  console.log(`Built ${target}/sdk and ${target}/cli. Publish each with: npm publish --access public`);
}
