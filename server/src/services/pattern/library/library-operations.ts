import type { historyOperations } from '@damask/contracts/history.ts';
import type { patternOperations } from '@damask/contracts/pattern.ts';
import type { strategyOperations } from '@damask/contracts/strategy.ts';
import type { Implementation } from '#platform/call.ts';
import { deprecatePattern } from '../history/deprecate-pattern.ts';
import { diffVersions } from '../history/diff-versions.ts';
import { liftDeprecation } from '../history/lift-deprecation.ts';
import { listLabelMoves } from '../history/list-label-moves.ts';
import { createPattern } from './create-pattern.ts';
import { deletePattern } from './delete-pattern.ts';
import { deleteStrategy } from './delete-strategy.ts';
import type { LibraryParts } from './library-parts.ts';
import { listPatterns } from './list-patterns.ts';
import { listStrategies } from './list-strategies.ts';
import { listVersions } from './list-versions.ts';
import { publishVersion } from './publish-version.ts';
import { putStrategy } from './put-strategy.ts';
import { readPattern } from './read-pattern.ts';
import { readStrategy } from './read-strategy.ts';
import { readVersion } from './read-version.ts';
import { removeLabel } from './remove-label.ts';
import { restorePattern } from './restore-pattern.ts';
import { setLabel } from './set-label.ts';
import { setPatternTeam } from './set-pattern-team.ts';

/** Patterns, their versions and labels, strategies. Inputs are checked and permissions asked for before they come here. */
export function createLibraryOperations(
  parts: LibraryParts,
): Implementation<typeof patternOperations & typeof historyOperations & typeof strategyOperations> {
  return {
    /** Null: nobody owns it. Errors: `not_found`. */
    setPatternTeam: (context, input) => setPatternTeam(parts, context, input),
    /** By name. Errors: `invalid_cursor`. */
    listPatterns: (context, input) => listPatterns(parts, context, input),
    /** Errors: `already_exists`, `invalid_pattern`, `invalid_request` unless exactly one of `system` and `files` is there. */
    createPattern: (context, input) => createPattern(parts, context, input),
    /** Errors: `not_found`, also for a deleted one. */
    readPattern: (context, input) => readPattern(parts, context, input),
    /** Frees the name; versions and labels stay for a restore. Errors: `not_found`. */
    deletePattern: (context, input) => deletePattern(parts, context, input),
    /** Brings back the one that was deleted last. Errors: `not_found`, `already_exists` when the name is in use. */
    restorePattern: (context, input) => restorePattern(parts, context, input),
    /** The newest version's content answers that version; any other content, an older version's too, becomes the newest. Errors: `not_found`, `invalid_pattern`, `version_conflict`. */
    publishVersion: (context, input) => publishVersion(parts, context, input),
    /** Newest first. Errors: `not_found`, `invalid_cursor`. */
    listVersions: (context, input) => listVersions(parts, context, input),
    /** Errors: `not_found`. */
    readVersion: (context, input) => readVersion(parts, context, input),
    /** Files and settings. Errors: `not_found`, also for what comes before version 1. */
    diffVersions: (context, input) => diffVersions(parts, context, input),
    /** Newest first. Errors: `not_found`, `invalid_cursor`. */
    listLabelMoves: (context, input) => listLabelMoves(parts, context, input),
    /** Can be repeated. Errors: `not_found`, `invalid_request` for a successor that is not there or leads back. */
    deprecatePattern: (context, input) => deprecatePattern(parts, context, input),
    /** Errors: `not_found`, also where nothing is deprecated. */
    liftDeprecation: (context, input) => liftDeprecation(parts, context, input),
    /** Errors: `not_found` for the pattern or the version. */
    setLabel: (context, input) => setLabel(parts, context, input),
    /** Errors: `not_found`. */
    removeLabel: (context, input) => removeLabel(parts, context, input),
    /** By name. Errors: `invalid_cursor`. */
    listStrategies: (context, input) => listStrategies(parts, context, input),
    /** Errors: `not_found`. */
    readStrategy: (context, input) => readStrategy(parts, context, input),
    /** Can be repeated. */
    putStrategy: (context, input) => putStrategy(parts, context, input),
    /** Answers what was deleted. Errors: `not_found`. */
    deleteStrategy: (context, input) => deleteStrategy(parts, context, input),
  };
}
