import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commands } from './commands.ts';
import { completeWords } from './complete-words.ts';

const offered = async (line: string) => {
  const { words, kind } = await completeWords(line.split(' ').slice(1), commands);
  return kind ?? words.map(([word]) => word);
};

test('each place of a command line is offered what can stand there', async () => {
  const cases: [string, string][] = [
    ['damask run ', 'patterns'],
    ['damask run summarize -m ', 'models'],
    ['damask run summarize --model ', 'models'],
    ['damask run -m=', 'models'],
    ['damask run --strategy=c', 'strategies'],
    ['damask run x -C ', 'contexts'],
    ['damask run x --session ', 'sessions'],
    ['damask run x -sm ', 'models'],
    ['damask run x -o ', 'files'],
    ['damask run -m a/b ', 'patterns'],
    ['damask run x ', 'files'],
    ['damask -p ', 'patterns'],
    ['damask -s -p ', 'patterns'],
    ['damask show ', 'patterns'],
    ['damask contexts show ', 'contexts'],
  ];
  for (const [line, kind] of cases) assert.equal(await offered(line), kind, line);
});

test('commands, their second words and flags are offered from the table', async () => {
  const first = await offered('damask ');
  assert.ok(
    first.includes('help') && first.includes('run') && first.includes('keys') && !first.includes('keys create'),
  );
  assert.deepEqual(await offered('damask runs '), ['show', 'cancel']);
  assert.ok((await offered('damask run x --')).includes('--strategy'));
  assert.ok((await offered('damask --')).includes('--pattern'));
  assert.ok((await offered('damask help r')).includes('runs'));
  assert.deepEqual(await offered('damask completion '), ['bash', 'zsh', 'fish']);
  for (const line of ['damask run x -t ', 'damask nothing ', 'damask run x -v '])
    assert.deepEqual(await offered(line), []);
});
