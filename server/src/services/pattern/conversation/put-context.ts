import { contextLimit, type contextOperations } from '@damask/contracts/context.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { requireMatch } from '#platform/entity-tag.ts';
import { refuseSecrets } from '../guard/refuse-secrets.ts';
import { changeContexts, leaveContextTrace } from './change-contexts.ts';
import { findContext, putContext as write } from './context-store.ts';
import type { ConversationParts } from './conversation-parts.ts';
import { readLocked } from './read-context.ts';
import { openText, sealText } from './sealed-text.ts';

type PutContext = typeof contextOperations.putContext;

/** Says nothing when nothing changes. */
export async function putContext(
  parts: ConversationParts,
  context: CallContext,
  { context: name, content, ...given }: InputOf<PutContext>,
): Promise<OutputOf<PutContext>> {
  const bytes = Buffer.byteLength(content);
  if (bytes > contextLimit) {
    throw new AppError('invalid_request', 'A context has at most 1 MiB of text. Shorten it, or make two of it.', {
      pointer: '/content',
    });
  }
  refuseSecrets(content, '/content');
  const { vault, clock } = parts;
  const { workspace } = context;
  await vault.ready(workspace);
  const place = { table: 'pattern.context', row: name } as const;
  const sealed = await sealText(vault, workspace, place, content);
  return changeContexts(parts, context, async (transaction) => {
    await requireMatch(given, () => readLocked(parts, transaction, workspace, name));
    const existing = await findContext(transaction, name);
    if (existing && existing.bytes === bytes) {
      const { content: before, ...summary } = existing;
      if ((await openText(vault, workspace, place, before)) === content) return summary;
    }
    const summary = { name, bytes, updated_at: new Date(clock.now()).toISOString() };
    await write(transaction, { workspace, ...summary, content: sealed });
    await leaveContextTrace(parts, transaction, context, {
      action: 'putContext',
      subject: `context/${name}`,
      details: { bytes },
      event: 'pattern.context-put',
      data: { context: name },
    });
    return summary;
  });
}
