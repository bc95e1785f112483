import type { Commands } from './command.ts';

/** Every command, in the order of the help. */
export const commands: Commands = {
  run: {
    summary: 'Run a pattern on a text',
    load: async () => (await import('./commands/run.ts')).run,
  },
  patterns: {
    summary: 'List patterns',
    load: async () => (await import('./commands/patterns.ts')).patterns,
  },
  show: {
    summary: 'Show a pattern: text, variables, labels',
    load: async () => (await import('./commands/show.ts')).show,
  },
  publish: {
    summary: 'Publish a folder as a new version of a pattern',
    load: async () => (await import('./commands/publish.ts')).publish,
  },
  import: {
    summary: "Import a folder in Fabric's tree",
    load: async () => (await import('./commands/import.ts')).importTree,
  },
  strategies: {
    summary: 'List strategies',
    load: async () => (await import('./commands/strategies.ts')).strategies,
  },
  runs: {
    summary: 'List runs with tokens, cost and latency',
    load: async () => (await import('./commands/runs.ts')).runs,
  },
  'runs show': {
    summary: 'Show one run, or the last',
    load: async () => (await import('./commands/runs-show.ts')).runsShow,
  },
  'runs cancel': {
    summary: 'Stop a run',
    load: async () => (await import('./commands/runs-cancel.ts')).runsCancel,
  },
  models: {
    summary: 'List models that a run can name',
    load: async () => (await import('./commands/models.ts')).models,
  },
  'model pull': {
    summary: 'Fetch the small local model',
    load: async () => (await import('./commands/model-pull.ts')).modelPull,
  },
  keys: {
    summary: 'List API keys',
    load: async () => (await import('./commands/keys.ts')).keys,
  },
  'keys create': {
    summary: 'Make an API key',
    load: async () => (await import('./commands/keys-create.ts')).keysCreate,
  },
  'keys revoke': {
    summary: 'Revoke an API key',
    load: async () => (await import('./commands/keys-revoke.ts')).keysRevoke,
  },
  whoami: {
    summary: 'Show the key in use and what it may do',
    load: async () => (await import('./commands/whoami.ts')).whoami,
  },
  serve: {
    summary: 'Start the server in the foreground',
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  'check-config': {
    summary: "Check the server's settings",
    load: async () => (await import('./commands/check-config.ts')).checkConfig,
  },
  'owner-key': {
    summary: 'Make a new owner key on this machine',
    load: async () => (await import('./commands/owner-key.ts')).ownerKey,
  },
  doctor: {
    summary: 'Check this machine, the server, the key and the models',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
};
