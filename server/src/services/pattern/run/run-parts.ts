import type { Clock } from '#platform/clock.ts';
import type { Cursors } from '#platform/cursor.ts';
import type { Database } from '#platform/database/database.ts';
import type { Trail } from '#platform/trail.ts';
import type { Vault } from '#platform/vault.ts';
import type { ContextTexts } from '../conversation/context-texts.ts';
import type { ConversationParts } from '../conversation/conversation-parts.ts';
import type { PdfTexts } from '../conversation/pdf-texts.ts';
import type { LibraryTable } from '../library/library-table.ts';
import type { ModelRouter } from '../model/model-router.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import type { AnswerCache } from './answer-cache.ts';
import type { ClaimWriter } from './claim-writer.ts';
import type { EngineParts } from './engine.ts';
import type { LimitParts } from './reserve-run.ts';

export interface RunParts {
  readonly database: Database;
  readonly cursors: Cursors;
  readonly clock: Clock;
  readonly library: LibraryTable;
  readonly contexts: ContextTexts;
  readonly conversation: ConversationParts;
  readonly pdfTexts: PdfTexts;
  readonly router: ModelRouter;
  readonly engine: EngineParts;
  readonly queue: TaskQueue;
  readonly vault: Vault;
  readonly trail: Trail;
  readonly answers: AnswerCache;
  readonly claims: ClaimWriter;
  readonly limits: LimitParts;
  /** False only where a test plants that fault. */
  readonly honoursKeys: boolean;
  /** Milliseconds that a run may take when it does not say. */
  readonly defaultTimeout: number;
}
