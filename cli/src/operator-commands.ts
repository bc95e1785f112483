import type { Commands } from './command.ts';

/** Backups and keys: most of them on the machine of the server. */
export const operatorCommands: Commands = {
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
  'backup drill': {
    summary: 'Bring a backup back for a trial, and write down how it went',
    load: async () => (await import('./commands/backup-drill.ts')).backupDrill,
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
  'key status': {
    summary: 'Show the keys of the workspace, and how far a rotation is',
    load: async () => (await import('./commands/key-status.ts')).keyStatus,
  },
  'key rotate': {
    summary: 'Replace the data key of the workspace, or what wraps all of them',
    load: async () => (await import('./commands/key-rotate.ts')).keyRotate,
  },
  'key replace': {
    summary: 'Go on without a key file that is lost',
    load: async () => (await import('./commands/key-replace.ts')).keyReplace,
  },
  'workspace shred': {
    summary: 'Destroy the keys of a workspace for good',
    load: async () => (await import('./commands/workspace-shred.ts')).workspaceShred,
  },
};
