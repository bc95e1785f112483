import type { FileProblem } from './check-files.ts';
import type { VersionContent } from './version-content.ts';

/** A version that is about to be published. */
export interface Draft {
  readonly name: string;
  readonly version: number;
  readonly content: VersionContent;
}

export interface ComposeProblem extends FileProblem {
  readonly pattern: string;
}
