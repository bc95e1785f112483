import type { Commands } from './command.ts';

/** This machine, its shell and its server. */
export const machineCommands: Commands = {
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
