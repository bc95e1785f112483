import type { privacyOperations } from '@damask/contracts/privacy.ts';
import type { Implementation } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import type { TopicFollower } from '#platform/topic.ts';
import type { Vault } from '#platform/vault.ts';
import { createPrivacyOperations } from './privacy/privacy-operations.ts';
import type { PrivacyParts } from './privacy/privacy-parts.ts';
import { createPrivacyTable, privacyTopic, type RunPrivacy } from './privacy/run-privacy.ts';
import { type Keeper, startKeeper } from './privacy/start-keeper.ts';
import { createSubjectKeys } from './privacy/subject-keys.ts';
import type { AnswerCache } from './run/answer-cache.ts';
import { cancelRun } from './run/cancel-run.ts';
import { createPayloads, type Payloads } from './run/payloads.ts';

/** What runs must know of privacy, and the sealing of their texts. `start` begins to remove what is kept long enough. */
export interface Privacy {
  readonly follower: TopicFollower;
  readonly table: RunPrivacy;
  readonly payloads: Payloads;
  /** Drops the keys of subjects from memory. */
  forgetKeys(): void;
  start(parts: Omit<PrivacyParts, 'wake' | 'vault' | 'digestSubject'>): {
    readonly operations: Implementation<typeof privacyOperations>;
    stop(): Promise<void>;
  };
}

export function openPrivacy(parts: { database: Database; vault: Vault; answers: AnswerCache; clock: Clock }): Privacy {
  const { database, vault, answers } = parts;
  const keys = createSubjectKeys(parts);
  const payloads = createPayloads(vault, keys);
  let keeper: Keeper | undefined;
  const table = createPrivacyTable(database, () => {
    keys.forget();
    answers.forget();
    keeper?.wake();
  });
  return {
    follower: { topic: privacyTopic, load: () => table.load() },
    table,
    payloads,
    forgetKeys: () => keys.forget(),
    start(options) {
      const search = { vault, digestSubject: payloads.digestSubject };
      const own = startKeeper({
        ...options,
        ...search,
        cancelRun: (workspace, run) => cancelRun(options.runs, workspace, run),
      });
      keeper = own;
      return {
        operations: createPrivacyOperations({ ...options, ...search, wake: () => own.wake() }),
        stop: () => own.stop(),
      };
    },
  };
}
