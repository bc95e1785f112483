import type { Commands } from './command.ts';

/** The audit log, and evidence for auditors. */
export const auditCommands: Commands = {
  audit: {
    summary: 'List who did what, newest first',
    load: async () => (await import('./commands/audit.ts')).audit,
  },
  'audit export': {
    summary: 'Write the audit log of a period to a file',
    load: async () => (await import('./commands/audit-export.ts')).auditExport,
  },
  'audit verify': {
    summary: 'Check that nothing in the audit log was changed or taken away',
    load: async () => (await import('./commands/audit-verify.ts')).auditVerify,
  },
  'audit rotate-key': {
    summary: 'Let a new key sign the checkpoints of the audit log',
    load: async () => (await import('./commands/audit-rotate-key.ts')).auditRotateKey,
  },
  'evidence export': {
    summary: 'Collect evidence of a period into one signed archive',
    load: async () => (await import('./commands/evidence-export.ts')).evidenceExport,
  },
  'evidence verify': {
    summary: 'Check that nothing in an archive of evidence was changed',
    load: async () => (await import('./commands/evidence-verify.ts')).evidenceVerify,
  },
};
