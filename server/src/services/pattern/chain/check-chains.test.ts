import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { AppError } from '#platform/app-error.ts';
import { libraryForTests } from '../library/library-for-tests.ts';
import { createLibraryTable } from '../library/library-table.ts';
import { isChain, pinChain } from './pin-chain.ts';

const { library, database, log, alpha, beta, stop } = await libraryForTests();
after(stop);

const chain = (yaml: string) => [{ path: 'pattern.yaml', content: yaml }];
const create = (name: string, yaml: string) => library.createPattern(alpha(), { name, files: chain(yaml) });
const text = (name: string, yaml = '', system = 'Do it.') =>
  library.createPattern(alpha(), {
    name,
    files: [{ path: 'system.md', content: system }, ...(yaml === '' ? [] : [{ path: 'pattern.yaml', content: yaml }])],
  });
const problemsOf = async (work: Promise<unknown>) => {
  const error = (await work.then(
    () => assert.fail('nothing was refused'),
    (reason) => reason,
  )) as AppError;
  assert.equal(error.code, 'invalid_pattern', error.message);
  const { problems } = error.details as { problems: { pointer: string; detail: string }[] };
  return problems.map(({ detail }) => detail.replace('pattern.yaml ', '')).join('\n');
};
async function pin(name: string) {
  const table = createLibraryTable({ database, log });
  await table.load();
  const { workspace } = alpha();
  const pattern = table.find(workspace, name);
  assert.ok(pattern && isChain(pattern.latest));
  return pinChain(table, workspace, pattern, pattern.latest);
}

await text('words');
await text('tell', 'variables: {tone: {type: enum, values: [warm, dry]}, count: {type: integer, required: false}}');
await text(
  'sort',
  `output:
  type: json
  schema:
    type: object
    properties:
      kind: {enum: [warm, cold]}
      level: {type: integer}
      points: {type: array, items: {type: object, properties: {title: {type: string}}, additionalProperties: false}}
      people: {type: array, items: {$ref: '#/$defs/person'}}
    $defs: {person: {anyOf: [{type: 'null'}, {type: object, properties: {name: {type: string}}}]}}`,
);

test('a chain is published, shown, exported, and its versions are pinned', async () => {
  const yaml = `title: All of it
variables: {tone: {type: enum, values: [warm, dry]}, more: {default: x}, less: {required: false}}
steps:
  last:
    pattern: tell
    input: ['Sum up:', $steps.each.output, $steps.long.output]
    variables: {tone: $variables.tone, count: $steps.sorted.data.level}
    retry: {times: 2}
    on_error: {value: {a: 1}}
  each:
    pattern: words
    for_each: $steps.sorted.data.points
    input: $item.title
    when: [{ref: $item.title, exists: true}, {ref: $steps.sorted.data.level, above: 2}]
    max_items: 10
  sorted: {pattern: sort, after: [ok], timeout_ms: 5000, model: a/b, parameters: {temperature: 0}}
  ok: {approval: {message: [Go on?, $input], on_timeout: approve}}
  long:
    pattern: words
    label: best
    map_reduce: {size: 1000, overlap: 100, reduce: {pattern: tell, version: 1, variables: {tone: dry}}}
output: $steps.last.output
`;
  await library.setLabel(alpha(), { pattern: 'words', label: 'best', version: 1 });
  await create('whole', yaml);
  const version = await library.readVersion(alpha(), { pattern: 'whole', version: 1 });
  assert.deepEqual(
    version.steps.map(({ name, needs }) => `${name}: ${needs.join(' ')}`),
    ['ok: ', 'sorted: ok', 'each: sorted', 'long: ', 'last: each long sorted'],
  );
  assert.deepEqual(version.output, {
    type: 'markdown',
    schema: null,
    max_characters: null,
    from: '$steps.last.output',
  });
  const exported = await library.exportTree(alpha(), { pattern: ['whole'] });
  assert.deepEqual(
    exported.items.map(({ content }) => content),
    [yaml],
  );

  const { workspace } = alpha();
  const plan = await pin('whole');
  assert.deepEqual(plan, JSON.parse(JSON.stringify(plan)));
  const [ok, sorted, each, long, last] = plan.steps;
  assert.deepEqual(plan.defaults, { more: 'x', less: '' });
  assert.equal(ok?.work.kind, 'approval');
  assert.ok(sorted?.work.kind === 'call' && each?.work.kind === 'call' && long?.work.kind === 'call');
  assert.ok(last?.work.kind === 'call');
  assert.deepEqual([sorted.work.timeout_ms, sorted.work.model, sorted.needs], [5000, 'a/b', ['ok']]);
  assert.equal(each.when.length, 1);
  assert.deepEqual(each.work.forEach?.when, [{ ref: { from: 'item', path: ['title'] }, test: 'exists', value: true }]);
  assert.deepEqual(last.work.on_error, { output: '{"a":1}', data: { a: 1 } });
  assert.deepEqual(last.work.input[0], { text: 'Sum up:' });
  assert.equal(long.work.mapReduce?.reduce.pin.version, 1);

  await library.publishVersion(alpha(), { pattern: 'words', system: 'Do it well.' });
  assert.equal(long.work.call.pin.version, 1);
  const later = await pin('whole');
  const versions = later.steps.map(({ work }) => (work.kind === 'call' ? work.call.pin.version : null));
  assert.deepEqual(versions, [null, 1, 2, 1, 1], 'what follows the newest moves on, what has a label stays');
  await library.deletePattern(alpha(), { pattern: 'words' });
  await assert.rejects(pin('whole'), /cannot run as its patterns are now.*there is no pattern words/);
  const table = createLibraryTable({ database, log });
  await table.load();
  const kept = each.work.call.pin;
  assert.equal((await table.pinned(workspace, kept))?.digest, kept.digest);
  await library.restorePattern(alpha(), { pattern: 'words' });
});

test('what is wrong within a chain is told with its line', async () => {
  const cases: [string, RegExp][] = [
    ['steps: {}', /line 1: steps needs at least one step/],
    ['steps:\n  a: {patern: words}', /^line 2: "patern" is not a key of the step a; did you mean pattern.*$/],
    ['steps:\n  a: {pattern: words, inptu: x}', /line 2: "inptu" is not a key of the step a; did you mean input/],
    ['steps:\n  A b: {pattern: words}', /line 2: "A b" cannot name a step: use lower case/],
    ['steps:\n  a: {pattern: words, input: $steps.b.output}', /line 2: the step a: there is no step "b".*Steps: a/],
    [
      'steps:\n  sum: {pattern: words}\n  a:\n    pattern: words\n    input: $steps.som.output',
      /line 5: .*did you mean sum/,
    ],
    [
      'steps:\n  a: {pattern: words, after: [b]}\n  b: {pattern: words, input: $steps.a.output}',
      /line 2: the steps wait for each other: a → b → a/,
    ],
    ['steps:\n  a: {pattern: words, input: $steps.a.output}', /it refers to itself/],
    ['steps:\n  a: {pattern: words, input: $variables.tone}', /no variable "tone"; declare it/],
    ['steps:\n  a: {pattern: words, input: $inputs}', /"\$inputs" is no reference; did you mean \$input/],
    [
      'steps:\n  a: {pattern: words, input: "Sum up: $input"}',
      /"\$input" is a reference within a text: make it an entry/,
    ],
    ['steps:\n  a: {pattern: words, input: $5 for you}', /is no reference.*write \$\$/],
    ['steps:\n  a: {pattern: words, input: $steps.b}', /must go on with \.output/],
    ['steps:\n  a: {pattern: words, input: $item}', /\$item is there only in a step with for_each/],
    ['steps:\n  a: {version: 1}', /line 2: the step a: needs pattern/],
    ['steps:\n  a: {pattern: words, version: 1, label: x}', /version or label, not both/],
    ['steps:\n  a: {approval: {message: " "}}\noutput: $input', /line 2: .*message of the approval is empty/],
    ['steps:\n  a: {approval: {message: x}}', /the last step, a, is an approval; say what/],
    ['steps:\n  a: {approval: {}}', /approval needs message/],
    ['steps:\n  a: {approval: {message: x}, input: y}\noutput: $input', /input means nothing for an approval/],
    ['steps:\n  a: {pattern: words, for_each: $input, max_items: 1001}', /whole number from 1 to 1000/],
    ['steps:\n  a: {pattern: words, max_items: 10}', /max_items is for for_each/],
    ['steps:\n  a: {pattern: words, retry: {times: 6}}', /from 1 to 5/],
    ['steps:\n  a: {pattern: words, on_error: stop}', /fail, skip/],
    ['steps:\n  a: {pattern: words, when: {ref: $input}}', /needs one of equals/],
    ['steps:\n  a: {pattern: words, map_reduce: {size: 600, overlap: 300, reduce: words}}', /below half of size/],
    [
      'steps:\n  a: {pattern: words}\n  b: {pattern: words}',
      /line 1: a, b are needed by no other step; say what the chain answers/,
    ],
    ['steps:\n  a: {pattern: words}\nmodel: a/b', /line 3: model is not for a chain/],
    ['steps:\n  a: {pattern: words}\noutput: {type: json}', /output of a chain is a reference/],
    ['steps:\n  a: {pattern: words}\noutput: $steps.c.output', /line 3: output: there is no step "c"/],
    ['output: $steps.c.output\ntitle: x', /system\.md is missing|a reference is for a chain/],
  ];
  for (const [yaml, wanted] of cases) assert.match(await problemsOf(create('wrong', yaml)), wanted, yaml);
});

test('what does not fit the patterns of the steps is told with its line', async () => {
  const cases: [string, RegExp][] = [
    ['a: {pattern: nowhere}', /line 2: the step a: there is no pattern nowhere/],
    ['a: {pattern: words, version: 99}', /words has no version 99; the newest is/],
    ['a: {pattern: words, label: prod}', /words has no label prod/],
    ['a: {pattern: tell}', /line 2: the step a: tell needs the variable tone/],
    ['a: {pattern: tell, variables: {tone: warm, tune: x}}', /tell has no variable tune; did you mean tone/],
    ['a: {pattern: tell, variables: {tone: loud}}', /the variable tone of tell must be one of warm, dry/],
    ['a: {pattern: tell, variables: {tone: $input}}', /is one of warm, dry, and what it is given is the input, a text/],
    [
      's: {pattern: sort}\n  a: {pattern: tell, variables: {tone: warm, count: $steps.s.data.kind}}',
      /is of type integer/,
    ],
    [
      's: {pattern: words}\n  a: {pattern: words, input: $steps.s.data.title}',
      /line 3: .*words, which answers markdown, not json/,
    ],
    [
      's: {pattern: sort}\n  a: {pattern: words, input: $steps.s.data.tilte}',
      /data\.tilte takes "tilte" of what has no such field.*It has kind, level, points, people/,
    ],
    ['s: {pattern: sort}\n  a: {pattern: words, input: "$steps.s.data.points[0].titel"}', /did you mean title/],
    ['s: {pattern: sort}\n  a: {pattern: words, input: "$steps.s.data.people[0].nme"}', /did you mean name/],
    ['s: {pattern: sort}\n  a: {pattern: words, input: $steps.s.data.kind.x}', /has no such field/],
    [
      's: {pattern: sort}\n  a: {pattern: words, for_each: $steps.s.data.kind}',
      /for_each needs a list, and \$steps\.s\.data\.kind is no list/,
    ],
    ['a: {pattern: words, for_each: $input}', /\$input is the input, a text/],
    [
      's: {pattern: sort}\n  a: {pattern: words, for_each: $steps.s.data.points, input: $item.tilte}',
      /\$item\.tilte takes/,
    ],
    [
      'a: {pattern: sort, map_reduce: {size: 500, reduce: words}}\n  b: {pattern: words, input: $steps.a.data}',
      /a\.data is of sort or words, which answers text, not json/,
    ],
    ['a: {pattern: words, map_reduce: {size: 500, reduce: nowhere}}', /there is no pattern nowhere/],
    ['a: {pattern: words, map_reduce: {size: 500, reduce: tell}}', /tell needs the variable tone/],
    ['ok: {approval: {message: x}}\n  a: {pattern: words, input: $steps.ok.data.coment}', /did you mean comment/],
  ];
  for (const [steps, wanted] of cases)
    assert.match(await problemsOf(create('wrong', `steps:\n  ${steps}\n`)), wanted, steps);
  const fits = `s: {pattern: sort}
  l: {pattern: sort, for_each: $steps.s.data.people, input: $item.name}
  t: {pattern: words, for_each: $steps.l.data, input: [$index, $item.kind]}
  a: {pattern: tell, input: $steps.t.output, variables: {tone: $steps.s.data.kind, count: $steps.s.data.level}}`;
  await create('fits', `steps:\n  ${fits}\n`);
});

test('a pattern that no run may have is none for a step', async () => {
  await text('reads_files', '', 'See {{plugin:file:read:x.md}}.');
  assert.match(
    await problemsOf(create('wrong', 'steps: {a: {pattern: reads_files}}')),
    /line 1: the step a: reads_files needs a capability that is off: {{plugin:file/,
  );
});

test('a chain has no text, and a pattern without steps has one', async () => {
  const files = [...chain('steps: {a: {pattern: words}}'), { path: 'system.md', content: 'Hello.' }];
  const refused = library.createPattern(alpha(), { name: 'both', files });
  assert.match(await problemsOf(refused), /system\.md line 1: a chain has no system\.md/);
  assert.match(await problemsOf(create('none', 'title: x')), /system\.md is missing/);
  await create('one_step', 'steps: {a: {pattern: words}}');
  const retried = create('retried', 'steps:\n  a:\n    pattern: one_step\n    retry: {times: 1}');
  assert.match(await problemsOf(retried), /line 4: the step a: one_step is a chain, and retry is for one call/);
  const including = library.createPattern(alpha(), {
    name: 'including',
    files: [...chain('template: 2'), { path: 'system.md', content: '{{> one_step}}' }],
  });
  assert.match(await problemsOf(including), /names one_step, a chain, which has no text/);
});

test('too many steps are refused fast, and so are chains that are too deep or too large or lead back', async () => {
  const many = (count: number) =>
    `steps:\n${Array.from({ length: count }, (_, index) => `  s${index}: {pattern: words}`).join('\n')}\noutput: $input\n`;
  const from = performance.now();
  assert.match(await problemsOf(create('many', many(10_000))), /more than 2000 lines|holds more than|too complex/);
  assert.match(await problemsOf(create('many', many(101))), /at most 100 steps are allowed/);
  assert.ok(performance.now() - from < 2000);
  await create('hundred', many(100));
  const through = (name: string) => `steps: {a: {pattern: ${name}}}`;
  for (const level of [2, 3, 4, 5])
    await create(`level_${level}`, through(level === 2 ? 'one_step' : `level_${level - 1}`));
  assert.match(
    await problemsOf(create('level_6', through('level_5'))),
    /line 1: the step a: chains reach more than 5 levels deep: level_6 → level_5/,
  );
  const back = library.publishVersion(alpha(), { pattern: 'one_step', files: chain(through('level_3')) });
  assert.match(await problemsOf(back), /the chain leads back to itself: one_step → level_3 → level_2 → one_step/);
  const large = `steps:\n${Array.from({ length: 11 }, (_, index) => `  s${index}: {pattern: hundred}`).join('\n')}\noutput: $input\n`;
  assert.match(await problemsOf(create('large', large)), /more than 1000 steps/);
});

test('chains of one import may run each other and its patterns, and nothing of an import with a wrong chain stays', async () => {
  const files = [
    { path: 'outer/pattern.yaml', content: 'steps: {a: {pattern: inner}, b: {pattern: leaf, input: $steps.a.output}}' },
    { path: 'inner/pattern.yaml', content: 'steps: {a: {pattern: leaf}}' },
    { path: 'leaf/system.md', content: 'Do.' },
  ];
  const wrong = files.map((file) =>
    file.path.startsWith('inner') ? { ...file, content: 'steps:\n  a: {pattern: outer}' } : file,
  );
  await assert.rejects(
    library.importTree(beta(), { files: wrong }),
    /line 2: .*leads back to itself: inner → outer → inner|outer → inner → outer/,
  );
  await assert.rejects(library.readPattern(beta(), { pattern: 'leaf' }), { code: 'not_found' });
  const report = await library.importTree(beta(), { files });
  assert.deepEqual(
    report.patterns.map(({ name, outcome }) => [name, outcome]),
    [
      ['inner', 'new'],
      ['leaf', 'new'],
      ['outer', 'new'],
    ],
  );
  const again = await library.importTree(beta(), { files });
  assert.deepEqual(
    again.patterns.map(({ outcome }) => outcome),
    ['same', 'same', 'same'],
  );
  assert.equal((await library.readVersion(beta(), { pattern: 'outer', version: 1 })).steps.length, 2);
});

test('a diff of versions tells the steps that changed', async () => {
  await create('changing', 'steps: {a: {pattern: words}, b: {pattern: words, input: $steps.a.output}}');
  const files = chain('steps: {a: {pattern: words, version: 1}, c: {pattern: words, input: $steps.a.output}}');
  await library.publishVersion(alpha(), { pattern: 'changing', files });
  const { settings } = await library.diffVersions(alpha(), { pattern: 'changing' });
  assert.deepEqual(
    settings.map(({ field, before, after: now }) => [field, before === null, now === null]),
    [
      ['output.from', false, false],
      ['steps.a.version', true, false],
      ['steps.b.input', false, true],
      ['steps.b.pattern', false, true],
      ['steps.c.input', true, false],
      ['steps.c.pattern', true, false],
    ],
  );
});
