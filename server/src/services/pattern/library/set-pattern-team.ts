import type { historyOperations } from '@damask/contracts/history.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { changeLibrary, type LibraryParts, leaveTrace } from './library-parts.ts';
import { lockPattern, readPatternById, setTeam } from './pattern-store.ts';

type SetPatternTeam = typeof historyOperations.setPatternTeam;

/** Teams are another service's, so of the name only the form is known. */
export async function setPatternTeam(
  parts: LibraryParts,
  context: CallContext,
  { pattern: name, team }: InputOf<SetPatternTeam>,
): Promise<OutputOf<SetPatternTeam>> {
  return changeLibrary(parts, context, async (transaction) => {
    const pattern = await lockPattern(transaction, name, context);
    if (!pattern) throw notFound();
    if (pattern.team !== team) {
      await parts.trail.look(transaction, `pattern/${name}`);
      await setTeam(transaction, pattern.id, team);
      await leaveTrace(parts, transaction, context, {
        action: 'setPatternTeam',
        subject: `pattern/${name}`,
        details: { team, before: pattern.team },
        event: 'pattern.team-set',
        data: { pattern: name, team },
      });
    }
    return readPatternById(transaction, pattern.id);
  });
}
