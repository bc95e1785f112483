import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiKey } from '@damask/sdk';
import { reviewKey } from './access-sections.ts';
import { judgeControls } from './controls.ts';
import { csvLine, readCsv } from './csv-text.ts';

const head = 'theme,soc2,iso27001,gdpr,pci,feature,state,evidence,test';

test('each control says whether its evidence is in the archive, and whether its tests passed', () => {
  const csv = [
    '# for people',
    head,
    '"Keys, secrets",CC6.1,8.24,32,3.5,sealed,there,encryption/keys | damask key status,a.ts::one | b.ts::two',
    'Backups,A1.2,8.13,32,,drills,partly,backups/ | access/keys,b.ts::three',
    'Incidents,CC7.3,5.24,33,12.10,none,not there,,',
    'Portability,P5.1,5.34,20,,export,there,damask subject export | docs/x.md,a.ts::one',
    'Capacity,A1.1,8.6,32,,limits,partly,graphs/,a.ts::gone',
  ].join('\n');
  const results = new Map([
    ['a.ts::one', 'passed'],
    ['b.ts::two', 'passed'],
    ['b.ts::three', 'failed'],
  ]);
  const judged = judgeControls(csv, ['encryption/keys.csv', 'access/keys.csv'], results);
  assert.deepEqual(
    judged.map(({ theme, in_archive, missing, tests }) => [theme, in_archive, missing.join(), tests]),
    [
      ['Keys, secrets', 'yes', '', 'passed'],
      ['Backups', 'part', 'backups/', 'failed'],
      ['Incidents', 'none', '', 'none'],
      ['Portability', 'elsewhere', '', 'passed'],
      ['Capacity', 'no', 'graphs/', 'unknown'],
    ],
  );
});

test('what is written as CSV is read again, and no text is a formula', () => {
  const rows = [
    ['=1+1', "+49 30 1234, Haus 'A'", '-', '@x', '\tx'],
    ['a "quoted" one', 'two\nlines', ' blank ', null, 4.5],
    [['a', 'b'], { a: [1] }, true, '', 'x'],
  ];
  const text = ['a', 'b', 'c', 'd', 'e'].join(',').concat('\r\n', rows.map(csvLine).join(''));
  assert.deepEqual(
    readCsv(text).map((row) => Object.values(row)),
    [
      ["'=1+1", "'+49 30 1234, Haus 'A'", "'-", "'@x", "'\tx"],
      ['a "quoted" one', 'two\nlines', ' blank ', '', '4.5'],
      ['a b', '{"a":[1]}', 'true', '', 'x'],
    ],
  );
  assert.throws(() => readCsv('a,b\n"open,x'));
});

test('a key is stale when nobody used it for long, unless it is over anyway', () => {
  const now = Date.parse('2026-11-23T00:00:00Z');
  const key = {
    ...{ created_at: '2026-01-01T00:00:00Z', expires_at: null, revoked_at: null, last_used_at: null },
  } as unknown as ApiKey;
  const staleOf = (more: Partial<ApiKey>) => reviewKey({ ...key, ...more }, now, 90).stale;
  assert.equal(staleOf({}), 'never used');
  assert.equal(staleOf({ created_at: '2026-11-01T00:00:00Z' }), null);
  assert.equal(staleOf({ last_used_at: '2026-08-01T00:00:00Z' }), 'unused for 90 days');
  assert.equal(staleOf({ last_used_at: '2026-11-01T00:00:00Z' }), null);
  assert.equal(staleOf({ revoked_at: '2026-02-01T00:00:00Z' }), null);
  assert.equal(staleOf({ expires_at: '2026-02-01T00:00:00Z' }), null);
});
