import type { Egress } from '#platform/egress/egress.ts';
import type { LibraryParts } from '../library/library-parts.ts';
import type { ImportPlanner } from './import-planner.ts';

/** What imports and exports are built from. */
export interface TransferParts extends LibraryParts {
  readonly planner: ImportPlanner;
  readonly egress: Pick<Egress, 'check'>;
}
