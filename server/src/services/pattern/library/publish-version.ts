import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { PatternVersion, patternOperations } from '@damask/contracts/pattern.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { requireMatch } from '#platform/entity-tag.ts';
import { warned } from '../guard/find-warnings.ts';
import { requireWholeReach } from '../reach/within-reach.ts';
import { composeVersion, mustCompose } from './compose-versions.ts';
import { digestFiles } from './digest.ts';
import { knownOutside } from './known-outside.ts';
import { authorOf, changeLibrary, type LibraryParts, leaveTrace } from './library-parts.ts';
import { advancePatterns, lockPattern, readPatternById } from './pattern-store.ts';
import { tryOut } from './try-out.ts';
import { readVersionContent } from './version-content.ts';
import { findVersion, insertVersions } from './version-store.ts';

type PublishVersion = typeof patternOperations.publishVersion;

/**
 * The newest version's content answers that version, so that a repeated call changes nothing. Content of an older version gets a
 * new number: whoever publishes wants it to be the newest, and development runs the newest.
 */
export async function publishVersion(
  parts: LibraryParts,
  context: CallContext,
  { pattern: name, message, base_version, if_match, dry_run, ...sent }: InputOf<PublishVersion>,
): Promise<OutputOf<PublishVersion>> {
  return tryOut(dry_run, (settle) =>
    changeLibrary(parts, context, async (transaction) => {
      const pattern = await lockPattern(transaction, name, context);
      if (!pattern) throw notFound();
      await requireMatch({ if_match }, () => readPatternById(transaction, pattern.id));
      if (base_version !== undefined && base_version !== pattern.latest)
        throw newerVersion(base_version, pattern.latest);
      const newest = (await findVersion(transaction, pattern.id, pattern.latest)) as PatternVersion;
      const number = pattern.latest + 1;
      const read = readVersionContent(name, sent, knownOutside(newest));
      // What it includes or runs may lie beyond.
      if (mustCompose(read)) requireWholeReach(context.reach);
      const content = await composeVersion(transaction, { name, version: number, content: read }, sent);
      // What it includes may have moved on while its own files stayed.
      if (content.files_digest === digestFiles(newest.files) && content.digest === newest.digest)
        return { ...newest, ...warned(newest) };

      await parts.trail.look(transaction, `pattern/${name}`);
      const at = new Date(parts.clock.now()).toISOString();
      await insertVersions(transaction, context.workspace, [
        {
          pattern: pattern.id,
          number,
          content,
          message: message ?? null,
          source: { kind: 'api' },
          created_at: at,
          ...authorOf(context),
        },
      ]);
      await advancePatterns(transaction, [{ id: pattern.id, latest: number, updated_at: at }]);
      await leaveTrace(parts, transaction, context, {
        action: 'publishVersion',
        subject: `pattern/${name}`,
        details: { version: number, digest: content.digest },
        event: 'pattern.version-published',
        data: { pattern: name, version: number, digest: content.digest },
      });
      const version = (await findVersion(transaction, pattern.id, number)) as PatternVersion;
      return settle({ ...version, ...warned(version) });
    }),
  );
}

function newerVersion(base: number, latest: number): AppError {
  return new AppError(
    'version_conflict',
    `You edited version ${base}, the newest is ${latest}. Look at what changed since with \`damask diff\`, then publish on top of version ${latest}.`,
    { pointer: '/base_version' },
  );
}
