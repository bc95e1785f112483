import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { patternOperations } from '@damask/contracts/pattern.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { appendEvents } from '#platform/events.ts';
import { warned } from '../guard/find-warnings.ts';
import { requireWholeReach } from '../reach/within-reach.ts';
import { composeVersion, mustCompose } from './compose-versions.ts';
import { authorOf, changeLibrary, type LibraryParts, leaveTrace } from './library-parts.ts';
import { findPattern, insertPatterns, lockNames, readPatternById } from './pattern-store.ts';
import { tryOut } from './try-out.ts';
import { readVersionContent } from './version-content.ts';
import { insertVersions } from './version-store.ts';

type CreatePattern = typeof patternOperations.createPattern;

export async function createPattern(
  parts: LibraryParts,
  context: CallContext,
  { name, message, dry_run, ...sent }: InputOf<CreatePattern>,
): Promise<OutputOf<CreatePattern>> {
  const { clock } = parts;
  const { workspace } = context;
  const read = readVersionContent(name, sent);
  // What it includes or runs may lie beyond.
  if (mustCompose(read)) requireWholeReach(context.reach);
  return tryOut(dry_run, (settle) =>
    changeLibrary(parts, context, async (transaction) => {
      await lockNames(transaction);
      if (await findPattern(transaction, name)) throw nameTaken(name);
      const content = await composeVersion(transaction, { name, version: 1, content: read }, sent);
      const id = clock.uuid();
      const created_at = new Date(clock.now()).toISOString();
      await insertPatterns(transaction, [
        {
          workspace,
          id,
          name,
          latest: 1,
          source_kind: 'api',
          source_origin: null,
          upstream_kind: null,
          upstream_digest: null,
          created_at,
        },
      ]);
      const source = { kind: 'api' as const };
      await insertVersions(transaction, workspace, [
        { pattern: id, number: 1, content, message: message ?? null, source, created_at, ...authorOf(context) },
      ]);
      await leaveTrace(parts, transaction, context, {
        action: 'createPattern',
        subject: `pattern/${name}`,
        details: { id, version: 1, digest: content.digest },
        event: 'pattern.pattern-created',
        data: { pattern: name },
      });
      await appendEvents(transaction, clock, context, [
        {
          name: 'pattern.version-published',
          data: {
            pattern: name,
            version: 1,
            digest: content.digest,
          },
        },
      ]);
      const pattern = await readPatternById(transaction, id);
      return settle({ ...pattern, ...warned({ ...content, template: content.settings.template }) });
    }),
  );
}

/** A name belongs to one living pattern of a workspace. */
export function nameTaken(name: string): AppError {
  return new AppError(
    'already_exists',
    `There is a pattern named ${name}. Publish a version of it, choose another name, or delete it first.`,
    { pointer: '/name' },
  );
}
