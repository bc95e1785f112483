import type { DataClass } from '@damask/contracts/pattern-settings.ts';
import { AppError } from '#platform/app-error.ts';
import type { Database } from '#platform/database/database.ts';
import { higherClass } from './data-class.ts';
import { loadPrivacy } from './privacy-store.ts';

/** What runs must know of privacy. Reads memory only. */
export interface RunPrivacy {
  /** The class of a run of this workspace whose pattern and variables have the class `own`. */
  classOf(workspace: string, own: DataClass): DataClass;
  /** `subject` is its HMAC. Errors: `subject_erasing`. */
  admit(workspace: string, subject: string): void;
}

/** Follows the topic `pattern.privacy`. */
export interface PrivacyTable extends RunPrivacy {
  load(): Promise<void>;
}

/** Moves with every change of retention, and when an erasure begins or ends. */
export const privacyTopic = 'pattern.privacy';

/** `changed`: an erasure may have begun or ended, so what is kept in memory must go. */
export function createPrivacyTable(database: Database, changed: () => void): PrivacyTable {
  let least: ReadonlyMap<string, DataClass> = new Map();
  let erased: ReadonlySet<string> = new Set();
  return {
    classOf(workspace, own) {
      return least.size === 0 ? own : higherClass(own, least.get(workspace));
    },
    admit(workspace, subject) {
      if (erased.size === 0 || !erased.has(`${workspace} ${subject}`)) return;
      throw new AppError(
        'subject_erasing',
        'This end user is being erased. Try again once `damask subject erasures` says that it is done.',
        { pointer: '/subject', retryAfterSeconds: 5 },
      );
    },
    async load() {
      const { retention, erasures } = await loadPrivacy(database);
      least = new Map(
        retention.flatMap(({ workspace, least_class }) =>
          least_class === 'public' ? [] : [[workspace, least_class] as const],
        ),
      );
      erased = new Set(erasures.map(({ workspace, subject }) => `${workspace} ${subject}`));
      changed();
    },
  };
}
