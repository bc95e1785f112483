import type { Input } from '../sample-input.ts';
import type { TwoWorkspaces } from './two-workspaces.ts';

type Make = (world: TwoWorkspaces, method: string, path: string, body?: unknown) => Promise<Input>;

/** Inputs of retention, holds and data subjects. */
export function privacyTargets(make: Make, freshName: () => string) {
  return {
    'PUT /v1/retention': () => ({ rules: [] }),
    'PUT /v1/holds/{hold}': () => ({ hold: freshName(), reason: 'a test', since: '2099-01-01T00:00:00Z' }),
    'DELETE /v1/holds/{hold}': async (world: TwoWorkspaces) => {
      const name = freshName();
      await make(world, 'PUT', `/v1/holds/${name}`, { reason: 'a test', since: '2099-01-01T00:00:00Z' });
      return { hold: name };
    },
    'POST /v1/subjects/export': () => ({ subject: 'nobody at all' }),
    'POST /v1/subjects/erasures': () => ({ subject: freshName() }),
  };
}
