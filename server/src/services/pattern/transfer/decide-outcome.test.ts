import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExistingPattern } from '../library/pattern-store.ts';
import { decideOutcome, type Outcome } from './decide-outcome.ts';

const starter = { digest: 'base', kind: 'starter' } as const;
const imported = { digest: 'base', kind: 'import' } as const;

test('the three-way rule', () => {
  const rows: [string, ExistingPattern | undefined, string, 'starter' | 'import', Outcome, Outcome, Outcome][] = [
    // what is here, what is there now, what comes, as what; with fail, keep, replace
    ['nothing is there', undefined, 'new', 'import', 'new', 'new', 'new'],
    ['the same came again', { digest: 'base', upstream: imported }, 'base', 'import', 'same', 'same', 'same'],
    ['the same was written here', { digest: 'x', upstream: null }, 'x', 'import', 'same', 'same', 'same'],
    [
      'unedited, upstream moved',
      { digest: 'base', upstream: imported },
      'new',
      'import',
      'changed',
      'changed',
      'changed',
    ],
    ['an unedited starter', { digest: 'base', upstream: starter }, 'new', 'import', 'replaced', 'replaced', 'replaced'],
    ['edited here only', { digest: 'mine', upstream: imported }, 'base', 'import', 'kept', 'kept', 'replaced'],
    ['edited on both sides', { digest: 'mine', upstream: imported }, 'new', 'import', 'conflict', 'kept', 'replaced'],
    ['an edited starter', { digest: 'mine', upstream: starter }, 'new', 'import', 'conflict', 'kept', 'replaced'],
    ['written here', { digest: 'mine', upstream: null }, 'new', 'import', 'conflict', 'kept', 'replaced'],
    ['a new starter', undefined, 'new', 'starter', 'new', 'new', 'new'],
    ['a better starter', { digest: 'base', upstream: starter }, 'new', 'starter', 'changed', 'changed', 'changed'],
    ['a starter over an edit', { digest: 'mine', upstream: starter }, 'new', 'starter', 'kept', 'kept', 'kept'],
    ['a starter over an import', { digest: 'base', upstream: imported }, 'new', 'starter', 'kept', 'kept', 'kept'],
    [
      'a starter over what was written here',
      { digest: 'mine', upstream: null },
      'new',
      'starter',
      'kept',
      'kept',
      'kept',
    ],
  ];
  for (const [name, existing, digest, kind, fail, keep, replace] of rows) {
    const decide = (onConflict?: 'fail' | 'keep' | 'replace') => decideOutcome(existing, { digest, kind }, onConflict);
    assert.deepEqual([decide(), decide('fail'), decide('keep'), decide('replace')], [fail, fail, keep, replace], name);
  }
});

test('after a decision to keep, the same upstream is not asked about again', () => {
  const before: ExistingPattern = { digest: 'mine', upstream: imported };
  assert.equal(decideOutcome(before, { digest: 'new', kind: 'import' }, 'keep'), 'kept');
  const after: ExistingPattern = { digest: 'mine', upstream: { digest: 'new', kind: 'import' } };
  assert.equal(decideOutcome(after, { digest: 'new', kind: 'import' }), 'kept');
  assert.equal(decideOutcome(after, { digest: 'newer', kind: 'import' }), 'conflict');
});
