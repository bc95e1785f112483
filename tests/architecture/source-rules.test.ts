import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HouseFile, isTestCode, sourceFiles } from './house.ts';
import { callsOf, comparisonsOf, forbiddenSyntaxOf, isOnlyPassage, reExportsOf, textsOf } from './syntax.ts';

/** A rule over one file: the lines that break it, and small samples that it must and must not see. */
interface Rule {
  readonly name: string;
  readonly why: string;
  /** Files that the rule does not look at. Each list may only shrink. */
  readonly exempt: (path: string) => boolean;
  readonly broken: (file: HouseFile) => string[];
  readonly sees: readonly string[];
  readonly passes: readonly string[];
}

const among = (paths: readonly string[]) => (path: string) => paths.includes(path);
const never = () => false;
const isTool = (path: string) => /^(tests|bench|scripts)\//.test(path);

function words(expression: RegExp): Rule['broken'] {
  return (file) =>
    file.text.split('\n').flatMap((line, index) => (expression.test(line) ? [`${index + 1}: ${line.trim()}`] : []));
}

// Small letters, as SQL is written here, or capitals; a sentence that begins with "Select" is none.
const statement =
  /\b(insert\s+into|delete\s+from|truncate\s+table|(create|alter|drop)\s+(table|schema|role|policy|index)|update\s+(only\s+)?[\w."${}]+\s+set)\b|\bselect\b[\s\S]*\bfrom\s+[\w."$(]/;
const capitals = /\b(INSERT INTO|DELETE FROM|SELECT|UPDATE|CREATE|ALTER|DROP|TRUNCATE)\b/;
const isSql = (text: string) => statement.test(text) || (capitals.test(text) && statement.test(text.toLowerCase()));

/** A value whose name says that it opens something. */
const isSecretName = (side: string) =>
  /(^|[._a-z])(secret|token|signature|mac|hmac|password|api_?key|credential|challenge|verifier|nonce|cookie)(Hash|_hash)?$/i.test(
    side,
  );
/** What a secret may be compared to at any speed: nothing, a text of ours, a kind, a length or a number of a file format. */
const isPlain = (side: string) =>
  /^(undefined|null|true|false|-?\d+|['"`][^$]*|typeof .*)$|\.(length|kind|size)$|\.readUInt\d+/.test(side);

const rules: readonly Rule[] = [
  {
    name: 'the environment is read in config.ts',
    why: 'A setting that anyone reads anywhere is in no reference, is not checked, and cannot be given in a test.',
    exempt: (path) =>
      isTestCode(path) ||
      among(['server/src/config.ts', 'cli/src/config.ts', 'cli/bin/damask.mjs', 'scripts/bootstrap.mjs'])(path) ||
      among(['scripts/install.mjs'])(path),
    broken: words(/process\s*(\.|\?\.)\s*env\b|process\[['"]env|\benv\b[^=]*\}\s*=\s*process\b|from 'node:process'/),
    sees: ['const port = process.env.PORT;', "process['env'].X", 'const { env } = process;'],
    passes: ['const { environment } = options;', '// the process environment', 'process.exit(1)'],
  },
  {
    name: 'SQL lives in stores, migrations and the platform',
    why: 'Whoever changes a table reads one file of statements per room, and finds all of them.',
    exempt: (path) =>
      isTestCode(path) ||
      isTool(path) ||
      path.startsWith('server/src/platform/') ||
      /^server\/src\/services\/[^/]+\/(.+\/)?([a-z-]+-)?store\.ts$/.test(path) ||
      path === 'server/src/open-database.ts',
    broken: (file) => textsOf(file).flatMap(({ line, text }) => (isSql(text) ? [`${line}: ${text.slice(0, 80)}`] : [])),
    sees: [
      "q('select a from pattern.b');",
      'q(`insert into a.b values (1)`);',
      ['q(`update a.$', '{b} set x = 1`)'].join(''),
      'q(`delete from x`)',
      "q('DELETE FROM x')",
      "q('SELECT a FROM b')",
    ],
    passes: ["say('Select one from the list');", 'say("Update the settings")', '// select a from b'],
  },
  {
    name: 'time, randomness and timers come from the clock',
    why: 'What a test cannot drive, a test can only wait for.',
    exempt: (path) =>
      isTestCode(path) ||
      !path.startsWith('server/src/') ||
      among([
        'server/src/platform/clock.ts',
        // Guards against what hangs, and deadlines that cross the wire: no logic waits for them.
        'server/src/platform/database/database.ts',
        'server/src/platform/rpc/door.ts',
        'server/src/platform/rpc/remote-client.ts',
        'server/src/gateway/read-body.ts',
        'server/src/services/pattern/model/provider-failure.ts',
      ])(path),
    broken: (file) =>
      callsOf(file)
        .filter(
          ({ name, arguments: given }) =>
            /^(Date\.now|performance\.now|setTimeout|setInterval)$/.test(name) ||
            (name === 'Date' && given.length === 0),
        )
        .map(({ line, text }) => `${line}: ${text.split('\n')[0]}`),
    sees: ['const t = Date.now();', 'new Date()', 'setTimeout(f, 5)'],
    passes: ['new Date(text)', 'clock.now()', 'clock.after(5, f)'],
  },
  {
    name: 'S-7: nothing weak is used for ids, hashes or encryption',
    why: 'Guessable ids, broken hashes and shortened tags are how secrets leave.',
    exempt: (path) => isTool(path) && !path.startsWith('scripts/'),
    broken: (file) =>
      callsOf(file)
        .filter(
          ({ name, text, arguments: given }) =>
            (/createHash$|createHmac$|^hash$/.test(name) && /md5|sha-?1['"]/i.test(given[0] ?? '')) ||
            /createCipher$|createDecipher$|pseudoRandomBytes$/.test(name) ||
            (/create(De)?[Cc]ipheriv$/.test(name) && !text.includes('authTagLength')),
        )
        .map(({ line, text }) => `${line}: ${text.split('\n')[0]}`),
    sees: [
      "createHash('md5')",
      "crypto.createHash('sha1')",
      "createDecipheriv('aes-256-gcm', key, nonce)",
      "createCipher('aes', key)",
    ],
    passes: [
      "createHash('sha256')",
      "createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 })",
      'randomUUID()',
    ],
  },
  {
    name: 'S-7: secrets are compared in constant time',
    why: 'The time of === tells how much of a guess was right; timingSafeEqual of the same length does not.',
    // A number of a worker's turn, and the key in this user's own file: nobody else chooses either.
    exempt: (path) =>
      isTestCode(path) ||
      isTool(path) ||
      among(['server/src/services/pattern/run/piece-reader.ts', 'server/src/first-start.ts'])(path),
    broken: (file) =>
      comparisonsOf(file)
        .filter(({ sides }) => sides.some((side) => isSecretName(side)) && sides.every((side) => !isPlain(side)))
        .map(({ line, text }) => `${line}: ${text.split('\n')[0]}`),
    sees: [
      'if (given.secret === known.secret) x();',
      'token !== expected',
      'a.signature == signed',
      'macOf(a) === b.mac',
    ],
    passes: [
      "kind === 'secret'",
      'secret === undefined',
      'secret.length === 43',
      'timingSafeEqual(a, b)',
      'typeof token === kind',
    ],
  },
  {
    name: 'S-7: nothing is left to Math.random',
    why: 'It can be guessed, and a test that uses it cannot be repeated. Ids come from the clock, secrets from node:crypto.',
    // The sdk spreads its retries with it.
    exempt: among(['sdk/src/open-operation.ts']),
    broken: (file) => callsOf(file).flatMap(({ line, name }) => (name === 'Math.random' ? [`${line}: ${name}()`] : [])),
    sees: ['const id = Math.random();'],
    passes: ['Math.round(2)', "const text = 'Math.random()';"],
  },
  {
    name: 'calls leave through the guard, not by clients of Node itself',
    why: 'fetch and its kind look at no address; platform/egress hands out what does.',
    // What runs in a browser has nothing else.
    exempt: (path) => isTestCode(path) || !path.startsWith('server/') || path.startsWith('server/src/gateway/account/'),
    broken: (file) =>
      callsOf(file)
        .filter(({ name }) =>
          /^(globalThis\.|global\.)?(fetch|WebSocket|EventSource|XMLHttpRequest)$|\.sendBeacon$/.test(name),
        )
        .map(({ line, text }) => `${line}: ${text.split('\n')[0]}`),
    sees: ["fetch('https://x')", 'new WebSocket(url)', 'globalThis.fetch(url)', 'navigator.sendBeacon(url)'],
    passes: ['egress.request(url)', "forwarded('fetch')", 'git.fetch({ http })'],
  },
  {
    name: 'each thread and the program itself close the clients of Node',
    why: 'Packages call fetch with addresses of their own choice, such as the one that a certificate names.',
    exempt: (path) => isTestCode(path) || !path.startsWith('server/src/'),
    broken: (file) =>
      (file.path.endsWith('/main.ts') || /from 'node:worker_threads'/.test(file.text)) &&
      (file.path.endsWith('/main.ts') || /\bparentPort\b/.test(file.text)) &&
      !callsOf(file).some(({ name }) => name === 'closeOtherWays')
        ? ['1: it does not call closeOtherWays()']
        : [],
    sees: ["import { parentPort } from 'node:worker_threads'; parentPort.on('message', work);"],
    passes: [
      "import { parentPort } from 'node:worker_threads'; closeOtherWays(); parentPort.on('message', work);",
      "import { Worker } from 'node:worker_threads';",
    ],
  },
  {
    name: 'what is loaded is named where it is loaded',
    why: 'A module whose name is put together at run time escapes every wall.',
    exempt: (path) => isTestCode(path) || !/^(server|sdk|cli|contracts)\/src\//.test(path),
    broken: (file) =>
      callsOf(file)
        .filter(
          ({ name, text, arguments: [first = ''] }) =>
            (/^import$/.test(name) && !/^['"]/.test(first)) ||
            /(^|\.)(createRequire|dlopen|_linkedBinding|binding)$/.test(name) ||
            (/getBuiltinModule$/.test(name) &&
              !/getBuiltinModule\(\s*([^?]+\?\s*)?'node:[\w/]+'(\s*:\s*'node:[\w/]+')?\s*\)/.test(text)),
        )
        .map(({ line, text }) => `${line}: ${text.split('\n')[0]}`),
    sees: [
      'await import(name)',
      'createRequire(url)',
      'process.getBuiltinModule(name)',
      'process.dlopen(module, path)',
    ],
    passes: [
      "await import('./a.ts')",
      "process.getBuiltinModule('node:os')",
      "process.getBuiltinModule(tls ? 'node:https' : 'node:http')",
    ],
  },
  {
    name: 'S-7: certificates are checked',
    why: 'A connection that trusts anyone is a connection to anyone.',
    exempt: among(['tests/architecture/source-rules.test.ts']),
    broken: words(/rejectUnauthorized\s*:\s*false|NODE_TLS_REJECT_UNAUTHORIZED|checkServerIdentity\s*:/),
    sees: ['new Pool(url, { rejectUnauthorized: false })', "NODE_TLS_REJECT_UNAUTHORIZED = '0'"],
    passes: ['rejectUnauthorized: true'],
  },
  {
    name: 'no text becomes code',
    why: 'Templates evaluated as code are the second most frequent incident of such platforms.',
    exempt: never,
    broken: (file) =>
      callsOf(file)
        .filter(({ name }) => /^(eval|globalThis\.eval|Function|AsyncFunction|runInNewContext|vm\..*)$/.test(name))
        .map(({ line, text }) => `${line}: ${text.split('\n')[0]}`),
    sees: ["eval('1')", "new Function('return 1')", "Function('x')", 'vm.runInThisContext(text)'],
    passes: ['evaluate(text)', 'function eval2() {}'],
  },
  {
    name: 'only syntax that can be erased, no decorators',
    why: 'Node runs the sources as they are, and a decorator does at a distance what a call says in place.',
    exempt: never,
    broken: (file) => forbiddenSyntaxOf(file).map(({ line, text }) => `${line}: ${text.split('\n')[0]}`),
    sees: [
      'enum A { B }',
      'class A { constructor(private readonly b: string) {} }',
      '@sealed class A {}',
      'namespace A {}',
    ],
    passes: ['class A { readonly #b = 1; }', 'const a = { b: 1 } as const;'],
  },
  {
    name: 'no barrels inside the house',
    why: 'A file that only passes on what others export ties all of them into one ring.',
    exempt: among(['sdk/src/index.ts']),
    broken: (file) => [
      ...reExportsOf(file)
        .filter(({ text }) => /^export (type )?\*/.test(text))
        .map(({ line, text }) => `${line}: ${text}`),
      ...(isOnlyPassage(file) ? ['1: it only passes on what others export'] : []),
    ],
    sees: [
      "export * from './a.ts'; export const b = 1;",
      "export { a } from './a.ts';",
      "export type { A } from './a.ts';",
    ],
    passes: [
      'export const a = 1;',
      "import { a } from './a.ts';",
      "export type { A } from './a.ts'; export const b = 1;",
    ],
  },
  {
    name: 'nothing is left over',
    why: 'What is still to be done is an issue, where somebody sees it.',
    exempt: among(['tests/architecture/source-rules.test.ts']),
    broken: words(/\b(TODO|FIXME|XXX|HACK)\b|@ts-(ignore|nocheck)\b/),
    sees: ['// TODO: later', '/* FIXME */', '// @ts-ignore'],
    passes: ['const todo = 1;', 'counts.todo'],
  },
  {
    name: 'an import says where it leads',
    why: 'Only ./, ../, #platform, node: and the names of declared packages: no address, no path from the root.',
    exempt: never,
    broken: words(/^import .* from '(\/|https?:|file:)/),
    sees: ["import a from '/tmp/a.ts'"],
    passes: ["import a from './a.ts'"],
  },
];

for (const rule of rules) {
  test(rule.name, () => {
    const broken = sourceFiles()
      .filter(({ path }) => !rule.exempt(path))
      .flatMap((file) => rule.broken(file).map((line) => `${file.path}:${line}`));
    assert.deepEqual(broken, [], rule.why);
  });

  test(`${rule.name}: the rule can fail`, () => {
    const look = (text: string) => rule.broken({ path: 'server/src/sample.ts', text });
    for (const sample of rule.sees) assert.equal(look(sample).length, 1, `not seen: ${sample}`);
    for (const sample of rule.passes) assert.deepEqual(look(sample), [], `wrongly seen: ${sample}`);
  });
}
