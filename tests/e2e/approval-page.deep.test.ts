import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeFolder, startCli } from '../../cli/test/run-cli.ts';
import { startTestPlatform, type TestPlatform } from '../../server/src/testing/test-platform.ts';
import { type BrowserPage, noBrowser, openBrowser } from './open-browser.ts';

const inPage = { skip: noBrowser, timeout: 120_000 };

let platform: TestPlatform;
let page: BrowserPage;

before(async () => {
  if (noBrowser) return;
  platform = await startTestPlatform();
  page = await openBrowser();
});

after(async () => {
  await page?.close();
  await platform?.stop();
});

/** Starts `damask login` and resolves to the page that it asks the person to open. */
async function begin(flag: string) {
  const env = { DAMASK_API_KEY: '', DAMASK_URL: '', PATH: '/nowhere', DISPLAY: ':9' };
  const cli = startCli(['login', flag, '--url', platform.url], { home: makeFolder(), env });
  const url = await new Promise<string>((resolve) => {
    let told = '';
    cli.child.stderr?.on('data', (text) => {
      told += text;
      const found = /http:\S+#code=\S+/.exec(told)?.[0];
      if (found !== undefined) resolve(found);
    });
  });
  return { ...cli, url };
}

test('a person lets command lines act for them in a real browser, under the strict policy', inPage, async () => {
  const beside = await begin('--browser');
  await page.open(beside.url);
  await page.until(`document.querySelector('h1')?.textContent === 'Sign in first'`);
  const link = (await platform.call('POST', '/v1/login-links', {})).body.url as string;
  await page.open(link);
  await page.click('#sign-in-with-link');
  await page.until(`document.querySelector('#sign-out')`);
  await page.open(beside.url);
  await page.until(`document.querySelector('#shown')`);
  assert.ok(beside.url.endsWith(await page.read(`document.querySelector('#shown').textContent`)));
  await page.click('#allow');
  const ended = await beside.finished;
  assert.equal(ended.code, 0, ended.stderr);
  await page.until(`document.body.innerText.startsWith('Done.')`);

  const elsewhere = await begin('--device');
  await page.open(elsewhere.url);
  await page.click('#allow');
  await page.until(`document.querySelector('#done')`);
  assert.equal((await elsewhere.finished).code, 0);
  assert.deepEqual(page.complaints, []);
});
