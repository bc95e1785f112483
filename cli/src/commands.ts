import type { Commands } from './command.ts';
import { identityCommands } from './identity-commands.ts';

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
  new: {
    summary: 'Make the folder of a new pattern',
    load: async () => (await import('./commands/new.ts')).newPattern,
  },
  edit: {
    summary: 'Edit a pattern in your editor and publish it',
    load: async () => (await import('./commands/edit.ts')).edit,
  },
  diff: {
    summary: 'Show how versions, or a folder, differ',
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  history: {
    summary: 'List versions of a pattern, or moves of its labels',
    load: async () => (await import('./commands/history.ts')).history,
  },
  deprecate: {
    summary: 'Say that a pattern should not be used any more',
    load: async () => (await import('./commands/deprecate.ts')).deprecate,
  },
  publish: {
    summary: 'Publish a folder as a new version of a pattern',
    load: async () => (await import('./commands/publish.ts')).publish,
  },
  import: {
    summary: 'Import patterns from a folder, an archive or a git repository',
    load: async () => (await import('./commands/import.ts')).importTree,
  },
  export: {
    summary: "Write patterns as Fabric's tree, or an archive of it",
    load: async () => (await import('./commands/export.ts')).exportTree,
  },
  strategies: {
    summary: 'List strategies',
    load: async () => (await import('./commands/strategies.ts')).strategies,
  },
  contexts: {
    summary: 'List contexts: background texts for runs',
    load: async () => (await import('./commands/contexts.ts')).contexts,
  },
  'contexts put': {
    summary: 'Create or replace a context',
    load: async () => (await import('./commands/contexts-put.ts')).contextsPut,
  },
  'contexts show': {
    summary: 'Print the text of a context',
    load: async () => (await import('./commands/contexts-show.ts')).contextsShow,
  },
  'contexts rm': {
    summary: 'Delete a context',
    load: async () => (await import('./commands/contexts-rm.ts')).contextsRm,
  },
  sessions: {
    summary: 'List sessions: conversations that runs go on with',
    load: async () => (await import('./commands/sessions.ts')).sessions,
  },
  'sessions show': {
    summary: 'Show what was said in a session',
    load: async () => (await import('./commands/sessions-show.ts')).sessionsShow,
  },
  'sessions rm': {
    summary: 'Delete a session',
    load: async () => (await import('./commands/sessions-rm.ts')).sessionsRm,
  },
  runs: {
    summary: 'List runs with tokens, cost and latency',
    load: async () => (await import('./commands/runs.ts')).runs,
  },
  'runs show': {
    summary: 'Show one run, or the last',
    load: async () => (await import('./commands/runs-show.ts')).runsShow,
  },
  steps: {
    summary: "Show the steps of a chain's run",
    load: async () => (await import('./commands/steps.ts')).steps,
  },
  'runs cancel': {
    summary: 'Stop a run',
    load: async () => (await import('./commands/runs-cancel.ts')).runsCancel,
  },
  batch: {
    summary: 'Run a pattern on every line of a file',
    load: async () => (await import('./commands/batch.ts')).batch,
  },
  batches: {
    summary: 'List batches',
    load: async () => (await import('./commands/batches.ts')).batches,
  },
  'batch show': {
    summary: 'Show how far a batch is',
    load: async () => (await import('./commands/batch-show.ts')).batchShow,
  },
  'batch results': {
    summary: 'Write what the lines of a batch came to',
    load: async () => (await import('./commands/batch-results.ts')).batchResults,
  },
  'batch errors': {
    summary: 'List lines that were rejected or failed',
    load: async () => (await import('./commands/batch-errors.ts')).batchErrors,
  },
  'batch pause': {
    summary: 'Begin no more runs of a batch',
    load: async () => (await import('./commands/batch-pause.ts')).batchPause,
  },
  'batch resume': {
    summary: 'Go on with a batch that is paused',
    load: async () => (await import('./commands/batch-resume.ts')).batchResume,
  },
  'batch cancel': {
    summary: 'Stop a batch and its runs',
    load: async () => (await import('./commands/batch-cancel.ts')).batchCancel,
  },
  watch: {
    summary: 'Follow a run until it ends',
    load: async () => (await import('./commands/watch.ts')).watch,
  },
  cancel: {
    summary: 'Stop a run',
    load: async () => (await import('./commands/cancel.ts')).cancel,
  },
  decide: {
    summary: 'Decide what a run waits for',
    load: async () => (await import('./commands/decide.ts')).decide,
  },
  retry: {
    summary: 'Queue failed runs once more',
    load: async () => (await import('./commands/retry.ts')).retry,
  },
  rerun: {
    summary: 'Run a run again, with changes',
    load: async () => (await import('./commands/rerun.ts')).rerun,
  },
  timers: {
    summary: 'List timers: runs that the clock starts',
    load: async () => (await import('./commands/timers.ts')).timers,
  },
  'timers set': {
    summary: 'Make or replace a timer',
    load: async () => (await import('./commands/timers-set.ts')).timersSet,
  },
  'timers show': {
    summary: 'Show a timer and its last ticks',
    load: async () => (await import('./commands/timers-show.ts')).timersShow,
  },
  'timers pause': {
    summary: 'Let a timer rest',
    load: async () => (await import('./commands/timers-pause.ts')).timersPause,
  },
  'timers resume': {
    summary: 'Let a timer tick again',
    load: async () => (await import('./commands/timers-pause.ts')).timersResume,
  },
  'timers rm': {
    summary: 'Delete a timer',
    load: async () => (await import('./commands/timers-rm.ts')).timersRm,
  },
  models: {
    summary: 'List models that a run can name',
    load: async () => (await import('./commands/models.ts')).models,
  },
  providers: {
    summary: 'List providers of models and how they behave',
    load: async () => (await import('./commands/providers.ts')).providers,
  },
  'providers add': {
    summary: 'Add a provider, or change one',
    load: async () => (await import('./commands/providers-add.ts')).providersAdd,
  },
  'providers test': {
    summary: 'Call a provider once and tell how it went',
    load: async () => (await import('./commands/providers-test.ts')).providersTest,
  },
  'providers remove': {
    summary: 'Remove a provider and its key',
    load: async () => (await import('./commands/providers-remove.ts')).providersRemove,
  },
  egress: {
    summary: 'Show what the server may call beyond the public internet',
    load: async () => (await import('./commands/egress.ts')).egress,
  },
  'egress check': {
    summary: 'Tell whether the server would call an address',
    load: async () => (await import('./commands/egress-check.ts')).egressCheck,
  },
  queue: {
    summary: 'Show what is queued, and limit what is executed at a time',
    load: async () => (await import('./commands/queue.ts')).queue,
  },
  budgets: {
    summary: 'List budgets and how far they are used',
    load: async () => (await import('./commands/budgets.ts')).budgets,
  },
  'budgets set': {
    summary: 'Limit what runs may cost in a day or a month',
    load: async () => (await import('./commands/budgets-set.ts')).budgetsSet,
  },
  'budgets show': {
    summary: 'Show a budget: spent, reserved, left',
    load: async () => (await import('./commands/budgets-show.ts')).budgetsShow,
  },
  'budgets remove': {
    summary: 'Remove a budget',
    load: async () => (await import('./commands/budgets-remove.ts')).budgetsRemove,
  },
  'model pull': {
    summary: 'Fetch the small local model',
    load: async () => (await import('./commands/model-pull.ts')).modelPull,
  },
  ...identityCommands,
  login: {
    summary: 'Keep a key for a server and use that server',
    load: async () => (await import('./commands/login.ts')).login,
  },
  'login sessions': {
    summary: 'List and end your login sessions',
    load: async () => (await import('./commands/login-sessions.ts')).loginSessions,
  },
  logout: {
    summary: 'Forget the key of a server',
    load: async () => (await import('./commands/logout.ts')).logout,
  },
  whoami: {
    summary: 'Show the key in use and what it may do',
    load: async () => (await import('./commands/whoami.ts')).whoami,
  },
  alias: {
    summary: 'Make a shell command of each pattern',
    load: async () => (await import('./commands/alias.ts')).alias,
  },
  completion: {
    summary: 'Let the Tab key of your shell complete',
    load: async () => (await import('./commands/completion.ts')).completion,
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
  backup: {
    summary: 'Write the whole database into one encrypted file',
    load: async () => (await import('./commands/backup.ts')).backup,
  },
  'backup show': {
    summary: 'Say what a backup holds',
    load: async () => (await import('./commands/backup-show.ts')).backupShow,
  },
  'backup verify': {
    summary: 'Read a backup to its end and check it',
    load: async () => (await import('./commands/backup-verify.ts')).backupVerify,
  },
  restore: {
    summary: 'Bring a backup back into an empty place',
    load: async () => (await import('./commands/restore.ts')).restore,
  },
  'key export': {
    summary: 'Write a sealed copy of the key file',
    load: async () => (await import('./commands/key-export.ts')).keyExport,
  },
  'key import': {
    summary: 'Bring the key file back from its copy',
    load: async () => (await import('./commands/key-import.ts')).keyImport,
  },
  'key replace': {
    summary: 'Go on without a key file that is lost',
    load: async () => (await import('./commands/key-replace.ts')).keyReplace,
  },
  doctor: {
    summary: 'Check this machine, the server, the key and the models',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
};
