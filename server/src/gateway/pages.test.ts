import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { errorCatalogue } from '@damask/contracts/errors.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let platform: TestPlatform;
before(async () => {
  platform = await startTestPlatform();
});
after(() => platform.stop());

const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(new URL(path, platform.url), { method, headers });

test('the reference page shows every operation and every error, and takes nothing from elsewhere', async () => {
  const answer = await get('/docs');
  const page = await answer.text();
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8');
  const { paths } = (await (await get('/openapi.json')).json()) as {
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  assert.ok(operations.length > 30);
  for (const { operationId } of operations) assert.ok(page.includes(`<h3 id="${operationId}">`), operationId);
  for (const code of Object.keys(errorCatalogue)) assert.ok(page.includes(`id="error-${code}"`), code);
  // What lies in lists, such as the parts of an attachment, is on the page too.
  assert.match(page, /Fields within fields<\/summary><pre>[^<]*media_type/);
  const links = [...page.matchAll(/(?:href|src)="([^"]*)"/g)].map((match) => match[1] as string);
  for (const link of links) {
    assert.match(link, /^(#|\/|data:,$)/);
    if (link.startsWith('#')) assert.ok(page.includes(`id="${link.slice(1)}"`), link);
  }
  assert.ok(!/<script|url\(|@import/.test(page));
  const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? '';
  const policy = answer.headers.get('content-security-policy') ?? '';
  assert.ok(policy.includes(`'sha256-${createHash('sha256').update(style).digest('base64')}'`));
  assert.match(policy, /^default-src 'none';/);
});

test('the first page leads on, and its links work', async () => {
  const page = await (await get('/')).text();
  for (const [, link] of page.matchAll(/href="(\/[^"]*)"/g)) {
    assert.equal((await get(link as string)).status, 200, link);
  }
});

test('what was read is not sent again while it is the same', async () => {
  const { alpha } = platform;
  const key = { authorization: `Bearer ${alpha.ownerKey}` };
  const first = await get('/v1/patterns/summarize', key);
  const tag = first.headers.get('etag') as string;
  assert.match(tag, /^"[\w-]{27}"$/);
  for (const header of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
    const again = await get('/v1/patterns/summarize', { ...key, 'if-none-match': header });
    assert.deepEqual([again.status, await again.text(), again.headers.get('etag')], [304, '', tag], header);
  }
  assert.equal((await get('/v1/patterns/summarize', { ...key, 'if-none-match': '"other"' })).status, 200);
  assert.equal((await get('/v1/patterns/summarize', { 'if-none-match': tag })).status, 401);
  const head = await get('/v1/patterns/summarize', key, 'HEAD');
  assert.deepEqual([head.status, await head.text(), head.headers.get('etag')], [200, '', tag]);
});

test('a page that a browser has kept keeps its policy', async () => {
  for (const path of ['/', '/docs', '/account']) {
    const first = await get(path);
    const again = await get(path, { 'if-none-match': first.headers.get('etag') as string });
    assert.equal(again.status, 304);
    for (const name of ['content-security-policy', 'x-frame-options', 'cross-origin-opener-policy'])
      assert.equal(again.headers.get(name), first.headers.get(name), `${path} ${name}`);
  }
});

test('every page has a policy under which nothing of others runs, and holds no text of a model', async () => {
  const pages = (await fetch(new URL('/openapi.json', platform.url)).then((answer) => answer.json())) as {
    paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, unknown> }> }>>;
  };
  const found = Object.entries(pages.paths)
    .filter(([, methods]) =>
      Object.keys(methods.get?.responses['200']?.content ?? {}).some((type) => type.startsWith('text/html')),
    )
    .map(([path]) => path);
  for (const path of new Set(['/', '/docs', '/account', '/nothing-here', '/v1/runs', ...found])) {
    const answer = await get(path.replace(/\{\w+\}/g, 'x'), { accept: 'text/html' });
    const policy = answer.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/, path);
    assert.match(policy, /base-uri 'none'/, path);
    assert.match(policy, /frame-ancestors 'none'/, path);
    assert.ok(!/unsafe-|\*|https?:/.test(policy), `${path}: ${policy}`);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(answer.headers.get('referrer-policy'), 'no-referrer');
    const isPage = (answer.headers.get('content-type') ?? '').startsWith('text/html');
    assert.equal(isPage, answer.status === 200, path);
  }
  // What a page shows of others it sets as text.
  for (const script of ['page', 'elements', 'call', 'approve', 'passkeys']) {
    const answer = await get(`/account/scripts/${script}.mjs`);
    assert.equal(answer.status, 200, script);
    assert.ok(!/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/.test(await answer.text()), script);
  }
});
