import type { Commands } from './command.ts';

/** Commands for retention, legal holds and data subjects. */
export const privacyCommands: Commands = {
  retention: {
    summary: 'Show how long what is kept',
    load: async () => (await import('./commands/retention.ts')).retention,
  },
  'retention set': {
    summary: 'Set how long something is kept',
    load: async () => (await import('./commands/retention-set.ts')).retentionSet,
  },
  'retention report': {
    summary: 'List what was removed',
    load: async () => (await import('./commands/retention-report.ts')).retentionReport,
  },
  holds: {
    summary: 'List legal holds',
    load: async () => (await import('./commands/holds.ts')).holds,
  },
  'holds put': {
    summary: 'Place a legal hold',
    load: async () => (await import('./commands/holds-put.ts')).holdsPut,
  },
  'holds lift': {
    summary: 'Lift a legal hold',
    load: async () => (await import('./commands/holds-lift.ts')).holdsLift,
  },
  'subject export': {
    summary: 'Write all that is kept about an end user',
    load: async () => (await import('./commands/subject-export.ts')).subjectExport,
  },
  'subject erase': {
    summary: 'Erase what is kept about an end user',
    load: async () => (await import('./commands/subject-erase.ts')).subjectErase,
  },
  'subject erasures': {
    summary: 'List erasures',
    load: async () => (await import('./commands/subject-erasures.ts')).subjectErasures,
  },
};
