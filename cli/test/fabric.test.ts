import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sendJson, startScriptedServer } from '../../sdk/test/scripted-server.ts';
import { commands } from '../src/commands.ts';
import { fabricCommand, fabricCommands, fabricInstead, insteadOfFabric } from '../src/fabric-flags.ts';
import { parseArguments } from '../src/parse-arguments.ts';
import { runCli } from './run-cli.ts';

const guide = readFileSync(new URL('../../docs/guides/from-fabric.md', import.meta.url), 'utf8');

/** Flags of Fabric's that are ours too, with the same meaning. */
const same = {
  '-p': '--pattern',
  '-v': '--variable',
  '-m': '--model',
  '-V': '--vendor',
  '-s': '--stream',
  '-o': '--output',
  '-c': '--copy',
  '-C': '--context',
  '-a': '--attachment',
  '-g': '--language',
  '-t': '--temperature',
  '-T': '--topp',
  '-P': '--presencepenalty',
  '-F': '--frequencypenalty',
  '-e': '--seed',
};

test('flags that mean the same have the same letters, and the guide tells of every one', async () => {
  const { flags = {} } = (await commands.run?.load()) ?? {};
  for (const [short, long] of Object.entries(same)) {
    assert.equal(`-${flags[long.slice(2)]?.short}`, short, long);
    assert.ok(
      guide.includes(`\`${short}\`, \`${long}\``) || guide.includes(`\`${long}\``),
      `${long} is not in the guide`,
    );
  }
  for (const flag of [...fabricCommands, ...fabricInstead]) {
    assert.ok(guide.includes(`\`${flag}\``), `${flag} is not in the guide`);
  }
});

test("each of Fabric's flags for something else becomes a command that exists", async () => {
  for (const flag of fabricCommands) {
    const takesName = [
      '--readpattern',
      '--printcontext',
      '--printsession',
      '-w',
      '--wipecontext',
      '-W',
      '--wipesession',
    ];
    const value = takesName.includes(flag) ? ['x'] : ['-n', '--latest'].includes(flag) ? ['5'] : [];
    for (const args of [[flag, ...value], ...(value.length > 0 ? [[`${flag}=${value[0]}`]] : [])]) {
      const [name = '', ...rest] = fabricCommand(args) ?? [];
      const command = await commands[name]?.load();
      assert.ok(command, `${flag}: there is no command ${name}`);
      if (!command.raw) parseArguments(command, rest);
    }
  }
  assert.equal(fabricCommand(['-p', 'summarize']), undefined);
  assert.equal(fabricCommand(['--dry-run']), undefined);
});

test('a flag that is not here says what to do instead, wherever it stands', async () => {
  for (const flag of fabricInstead)
    assert.match(insteadOfFabric(flag) ?? '', /^Fabric's -\S+ is not here\. [A-Z].{20,}/);
  for (const args of [
    ['-y', 'https://example.com/v'],
    ['-p', 'summarize', '--input-has-vars'],
  ]) {
    const done = await runCli(args, { input: 'x' });
    assert.deepEqual([done.code, done.stdout], [2, '']);
    assert.match(done.stderr, /Fabric's -.* is not here/);
  }
  assert.equal(insteadOfFabric('--nonsense'), undefined);
});

test("Fabric's lists are lists of names", async () => {
  await using server = await startScriptedServer((_, response) => {
    const items = ['2026-01-01', '2026-03-01', '2026-02-01'].map((day) => ({
      name: `of_${day.slice(5, 7)}`,
      updated_at: `${day}T00:00:00.000Z`,
      description: '',
      tags: [],
      version: 1,
    }));
    sendJson(response, 200, { items });
  });
  const { url } = server;
  assert.equal((await runCli(['-l'], { url })).stdout, 'of_01\nof_03\nof_02\n');
  assert.match((await runCli(['-n=2'], { url })).stdout, /of_03.*\nof_02.*\n$/);
  assert.equal((await runCli(['-x'], { url })).stdout, 'of_01\nof_03\nof_02\n');
  assert.equal(server.seen.at(-1)?.url, '/v1/contexts?limit=200');
});
