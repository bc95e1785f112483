// The walls of the house. Each comment says why the wall stands; ARCHITECTURE.md draws the floors.
// A new wall needs a planted violation in tests/architecture/walls.test.ts, or that test fails.

// Tests and what only tests use may reach further than the program.
const testCode = [
  '\\.test\\.ts$',
  '-for-tests\\.ts$',
  '(^|/)(test|tests|testing|fixtures|bench)/',
  '^server/src/services/pattern/(model/local/test-[^/]+|template/hostile-text)\\.ts$',
];
// Programs that nobody imports: a process, a worker or a page starts them.
const entries = [
  '^server/src/main\\.ts$',
  '^server/src/platform/json-worker\\.ts$',
  '^server/src/services/pattern/transfer/plan-worker\\.ts$',
  '^server/src/services/pattern/conversation/pdf-worker\\.ts$',
  '^server/(local-model|ai-sdk)/serve\\.ts$',
  '^cli/(bin/damask\\.mjs|src/main\\.ts)$',
  '^server/src/gateway/account/[a-z]+\\.mjs$',
  '^sdk/src/index\\.ts$',
  '^scripts/(bootstrap|test-reporter)\\.mjs$',
  '^scripts/(generate|build-packages)\\.ts$',
];
const core = (...names) => `^(node:)?(${names.join('|')})$`;

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-circle',
      comment:
        'A ring of modules can only be read, tested and moved as one. Type imports count: they bind readers too.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'everything-resolves',
      comment: 'What cannot be resolved escapes every other wall.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'nothing-dead',
      comment: 'Code that no entry point reaches is dead, or alive only in its tests.',
      severity: 'error',
      from: { path: entries },
      to: { path: '^(contracts|server|sdk|cli|scripts)/', pathNot: [...entries, ...testCode], reachable: false },
    },
    {
      name: 'contracts-stand-alone',
      comment: 'Contracts are read by every wing. What they import, every wing would import.',
      severity: 'error',
      from: { path: '^contracts/', pathNot: testCode },
      to: { pathNot: ['^contracts/', '^node_modules/typebox/'] },
    },
    {
      name: 'schemas-in-contracts',
      comment:
        'The schema library generates code and is slow without; checks are closures built from the contracts at start.',
      severity: 'error',
      from: { pathNot: ['^contracts/', '^scripts/', ...testCode] },
      to: { path: '^node_modules/typebox/' },
    },
    {
      name: 'platform-knows-no-service',
      comment: 'The floor below cannot know who stands on it; a service must be removable without touching it.',
      severity: 'error',
      from: { path: '^server/src/platform/' },
      to: { path: '^server/src/', pathNot: '^server/src/platform/' },
    },
    {
      name: 'services-are-islands',
      comment:
        'A service gets a client typed by a contract. An import would make two services one, in this process for ever.',
      severity: 'error',
      from: { path: '^server/src/services/([^/]+)/' },
      to: {
        path: '^server/src/',
        pathNot: ['^server/src/services/$1/', '^server/src/platform/', '^server/src/testing/'],
      },
    },
    {
      name: 'one-door',
      comment: 'From outside only service.ts: the inside of a service can change without asking anyone.',
      severity: 'error',
      // Models are found before there is a service to ask; the list may only shrink.
      from: {
        path: '^server/src/',
        pathNot: ['^server/src/services/', '^server/src/(announce|compose|find-models)\\.ts$', ...testCode],
      },
      to: { path: '^server/src/services/', pathNot: '^server/src/services/[^/]+/service\\.ts$' },
    },
    {
      name: 'models-are-found-first',
      comment:
        'What three files may see behind the door: how models of this machine are found and what they are doing.',
      severity: 'error',
      from: { path: '^server/src/(announce|compose|find-models)\\.ts$' },
      to: {
        path: '^server/src/services/',
        pathNot: [
          '^server/src/services/[^/]+/service\\.ts$',
          '^server/src/services/pattern/model/(environment-providers|ask-environment)\\.ts$',
          '^server/src/services/pattern/model/local/(local-model|fetch-local-model|model-source)\\.ts$',
          '^server/src/services/pattern/model/addon/addon\\.ts$',
        ],
      },
    },
    {
      name: 'door-opens-inwards',
      comment: 'service.ts imports operations, operations import the store; nothing inside needs the door.',
      severity: 'error',
      from: { path: '^server/src/services/', pathNot: testCode },
      to: { path: '^server/src/services/[^/]+/service\\.ts$' },
    },
    {
      name: 'rooms-in-one-direction',
      comment:
        'Inside pattern a run uses the library, the models and conversations; none of them knows of runs or of another.',
      severity: 'error',
      from: { path: '^server/src/services/pattern/(library|model|conversation)/', pathNot: testCode },
      to: {
        path: '^server/src/services/pattern/(library|model|conversation|run|transfer)/',
        pathNot: '^server/src/services/pattern/$1/',
      },
    },
    {
      name: 'edge-asks-through-clients',
      comment: 'The edge calls services by their contracts, wherever they run; it never reaches into one.',
      severity: 'error',
      from: { path: '^server/src/gateway/', pathNot: testCode },
      to: { path: '^server/src/', pathNot: ['^server/src/gateway/', '^server/src/platform/'] },
    },
    {
      name: 'doors-not-tunnels',
      comment:
        'No ../ leaves a service or the gateway, none leads to another wing: such a path hides which wall it crosses.',
      severity: 'error',
      from: { path: '^(server/src/(?:services/[^/]+|gateway)/|contracts/|server/|sdk/|cli/)', pathNot: testCode },
      to: {
        path: '^(contracts|server|sdk|cli|scripts)/',
        pathNot: '^$1',
        dependencyTypes: ['local'],
        dependencyTypesNot: ['aliased', 'undetermined'],
      },
    },
    {
      name: 'cli-speaks-sdk',
      comment: 'The command line is a client like any other: what it can do, everyone can do over the interface.',
      severity: 'error',
      from: { path: '^cli/', pathNot: testCode },
      to: { pathNot: ['^cli/', '^sdk/src/index\\.ts$'], dependencyTypesNot: ['core'] },
    },
    {
      name: 'sdk-depends-on-nothing',
      comment: 'It is installed into other people’s programs, in Node, browsers and workers.',
      severity: 'error',
      from: { path: '^sdk/', pathNot: testCode },
      to: { pathNot: '^sdk/src/' },
    },
    {
      name: 'local-model-apart',
      comment:
        'It runs in a process and with packages of its own, so that a crash of native code takes nothing else along.',
      severity: 'error',
      from: { path: '^server/(local-model|ai-sdk)/', pathNot: testCode },
      to: { pathNot: '^server/$1/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'nobody-imports-local-model',
      comment: 'The server starts that program; importing it would load native code into the run path.',
      severity: 'error',
      from: { pathNot: ['^server/(local-model|ai-sdk)/', ...testCode] },
      to: { path: '^server/(local-model|ai-sdk)/' },
    },
    {
      name: 'calls-leave-guarded',
      comment:
        'Every call to an address that somebody typed passes the guard in platform/egress; platform/rpc calls our own processes.',
      severity: 'error',
      from: { pathNot: ['^server/src/platform/(egress|rpc)/', ...testCode] },
      to: {
        path: '^node_modules/(undici|simple-get|isomorphic-git/http)/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'broker-behind-the-carrier',
      comment:
        'A broker carries words that may be lost; whoever spoke to it past the carrier would soon rely on one that may not.',
      severity: 'error',
      from: { pathNot: ['^server/src/platform/carrier/', ...testCode] },
      to: { path: '^node_modules/rabbitmq-client/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'redis-behind-its-room',
      comment:
        'Redis may be down and may forget; whoever spoke to it elsewhere would soon keep something there that must not be lost.',
      severity: 'error',
      from: { pathNot: ['^server/src/platform/redis/', ...testCode] },
      to: { path: '^node_modules/ioredis/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'sockets-in-few-hands',
      comment:
        'Who opens or listens on a socket is a short list, so that it can be read. Types of requests may travel.',
      severity: 'error',
      from: {
        pathNot: [
          '^server/src/platform/(egress|rpc)/',
          '^server/src/platform/metrics\\.ts$',
          '^server/src/gateway/(listen|accept-http2)\\.ts$',
          '^server/local-model/serve\\.ts$',
          '^server/ai-sdk/(serve|forwarded-fetch)\\.ts$',
          '^cli/src/(http-transport|listen-for-code)\\.ts$',
          ...testCode,
        ],
      },
      to: {
        path: core('http', 'https', 'http2', 'net', 'tls', 'dgram', 'dns', 'dns/promises'),
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'programs-in-few-hands',
      comment:
        'A program started with the wrong environment, a shell or no end is an incident; three files know how to do it.',
      severity: 'error',
      from: {
        pathNot: [
          '^(server/src/platform|cli/src)/child-process\\.ts$',
          '^scripts/bootstrap\\.mjs$',
          '^cli/bin/',
          ...testCode,
        ],
      },
      to: { path: core('child_process', 'cluster') },
    },
    {
      name: 'database-through-transactions',
      comment:
        'Role and workspace of each transaction are set in one place; a second way in would pass row-level security by.',
      severity: 'error',
      from: {
        pathNot: ['^server/src/platform/(database|postgres)/', ...testCode],
      },
      to: { path: '^node_modules/pg/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-code-from-text',
      comment: 'This process never evaluates a text as code; node:vm would be a way around the flag that forbids it.',
      severity: 'error',
      from: {},
      to: { path: core('vm', 'inspector', 'inspector/promises', 'wasi', 'repl') },
    },
    {
      name: 'declared-dependencies',
      comment:
        'What runs is named in the package.json of its wing; tools of the house are not there when it is deployed.',
      severity: 'error',
      from: { path: '^(contracts|server|sdk|cli)/', pathNot: testCode },
      to: {
        path: '(^|/)node_modules/',
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'undetermined'],
      },
    },
    {
      name: 'tests-stay-outside',
      comment: 'The program does not lean on what exists for its tests.',
      severity: 'error',
      from: { path: '^(contracts|server|sdk|cli|scripts)/', pathNot: testCode },
      to: { path: testCode, pathNot: '(^|/)node_modules/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    detectProcessBuiltinModuleCalls: true,
    doNotFollow: { path: 'node_modules' },
    // What is measured beside us is installed on demand and is no part of the house.
    exclude: { path: ['^server/(local-model|ai-sdk)/node_modules/', '(^|/)dist/', '^patterns/', '^bench/peers/'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'types', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
};
