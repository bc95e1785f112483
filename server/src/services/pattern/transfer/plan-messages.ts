import type { PatternFile } from '@damask/contracts/pattern.ts';
import type { WireError } from '#platform/rpc/wire.ts';
import type { GitSource } from './git-source.ts';
import type { ImportPlan } from './plan-import.ts';

/** To the thread. What is large comes in pieces after `start`, and `end` says that it is complete. */
export type ToPlanner =
  | { readonly start: 'files'; readonly origin: string }
  | { readonly start: 'archive'; readonly name: string; readonly within: string }
  | { readonly start: 'git'; readonly source: GitSource }
  | { readonly files: readonly PatternFile[] }
  | { readonly bytes: Uint8Array }
  | { readonly end: true }
  /** The wish for the next group of what was found. */
  | { readonly next: true }
  | { readonly answer: number; readonly status: number; readonly headers: Record<string, string>; readonly url: string }
  | { readonly answer: number; readonly piece: Uint8Array }
  | { readonly answer: number; readonly ended: true }
  | { readonly answer: number; readonly failed: WireError };

/** From the thread. The plan comes in groups, each small enough to be taken over without holding the event loop. */
export type FromPlanner =
  | { readonly call: number; readonly request: PlannerRequest }
  | { readonly group: PlanGroup; readonly last: boolean }
  /** `why` is for the log. */
  | { readonly failed: WireError; readonly why: string | null };

export interface PlannerRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | null;
}

export interface PlanGroup extends Partial<ImportPlan> {
  readonly commit?: string;
}
