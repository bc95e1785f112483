import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { startModelServer } from '../../server/src/platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../server/src/testing/test-platform.ts';
import { type BrowserPage, noBrowser, openBrowser } from './open-browser.ts';

const hostile = `<img src=x onerror="window.__pwned=1"><script>window.__pwned=1</script>`;
const inPage = { skip: noBrowser, timeout: 120_000 };

let platform: TestPlatform;
let model: Awaited<ReturnType<typeof startModelServer>>;
let page: BrowserPage;
let address: string;
before(async () => {
  if (noBrowser) return;
  model = await startModelServer((_, answer) => answer.say('short'));
  platform = await startTestPlatform({ modelUrl: model.url });
  address = `http://localhost:${new URL(platform.url).port}`;
  page = await openBrowser();
  await page.send('Page.addScriptToEvaluateOnNewDocument', {
    source: `window.__violations = []; document.addEventListener('securitypolicyviolation',
      (event) => window.__violations.push(event.violatedDirective + ' ' + event.blockedURI));`,
  });
  await page.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
});
after(async () => {
  await page?.close();
  await platform?.stop();
  await model?.close();
});

const newLink = async () => (await platform.call('POST', '/v1/login-links', {})).body.url as string;
const liveKeys = async () =>
  (await platform.call('GET', '/v1/keys?limit=200')).body.items.filter(
    (key: { revoked_at: unknown }) => !key.revoked_at,
  );

test(
  'a person signs in with a link and sees what is theirs, whatever it is called, under a strict policy',
  inPage,
  async () => {
    await platform.call('POST', '/v1/keys', { name: hostile.slice(0, 100), role: 'viewer' });
    await platform.call('POST', '/v1/runs', { pattern: 'summarize', input: 'a text' });
    await page.open(`${address}/account`);
    await page.until(`document.querySelector('h1')?.textContent === 'Sign in'`);
    await page.open(await newLink());
    await page.click('#sign-in-with-link');
    await page.until(`document.querySelector('#runs td')`);
    assert.equal(await page.read(`document.querySelector('h1').textContent`), 'owner');
    assert.equal(await page.read('location.hash'), '');
    // Each part of the page asks for itself.
    for (const word of ['alpha', 'link, browser', 'summarize', 'succeeded', hostile.slice(0, 100)]) {
      await page.until(`document.body.innerText.includes(${JSON.stringify(word)})`);
    }
    assert.equal(await page.read('typeof window.__pwned'), 'undefined');
    assert.equal(await page.read('document.cookie + localStorage.length + sessionStorage.length'), '00');
    const policy = (await fetch(`${address}/account`)).headers.get('content-security-policy') ?? '';
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  },
);

test('a key is made, shown once, and revoked', inPage, async () => {
  const before = (await liveKeys()).length;
  await page.read(`document.querySelector('#key-name').value = 'from the page'`);
  await page.click('#make-key');
  await page.until(`document.querySelector('#new-key code')`);
  const key = (await page.read(`document.querySelector('#new-key code').textContent`)) as string;
  assert.equal((await platform.call('GET', '/v1/me', undefined, { key })).body.actor.role, 'viewer');
  assert.equal((await liveKeys()).length, before + 1);
  await page.read(`[...document.querySelectorAll('#keys tr')].find((row) => row.innerText.includes('from the page'))
    .querySelector('button').click()`);
  await page.until(`!document.querySelector('#new-key')`);
  assert.equal((await platform.call('GET', '/v1/me', undefined, { key })).status, 401);
});

test('a passkey is added and signs in without a link', inPage, async () => {
  await page.read(`document.querySelector('#passkey-name').value = 'virtual'`);
  await page.click('#add-passkey');
  await page.until(`document.querySelector('#passkeys')?.innerText.includes('virtual')`);
  await page.click('#sign-out');
  await page.until(`document.querySelector('h1')?.textContent === 'Sign in'`);
  await page.click('#sign-in-with-passkey');
  await page.until(`document.querySelector('#sessions')?.innerText.includes('passkey, browser')`);
  // The token of the new session is in use: a write works.
  await page.read(`document.querySelector('#passkeys button').click()`);
  await page.until(`!document.querySelector('#passkeys')?.innerText.includes('virtual')`);
});

test('another session is ended from the page', inPage, async () => {
  const url = await newLink();
  const entered = await platform.call('POST', '/v1/login/link', { link: url.split('#link=')[1] }, { key: null });
  const cookie = entered.headers.get('set-cookie')?.split(';')[0] as string;
  const ask = async () =>
    (await platform.call('GET', '/v1/login', undefined, { key: null, headers: { cookie } })).status;
  assert.equal(await ask(), 200);
  await page.open(`${address}/account`);
  await page.click('#sessions button');
  await page.until(`!document.querySelector('#sessions button')`);
  assert.equal(await ask(), 401);
});

test('somebody is invited on the page, joins by the link and is shown what is theirs', inPage, async () => {
  await page.open(await newLink());
  await page.click('#sign-in-with-link');
  await page.until(`document.querySelector('#invite')`);
  await page.read(`document.querySelector('#invitation-email').value = 'no address'`);
  await page.click('#invite');
  await page.until(`/email/.test(document.querySelector('#invite').parentNode.innerText)`);
  const invite = async () => {
    await page.read(`document.querySelector('#invitation-email').value = 'ada@example.com'`);
    await page.read(`document.querySelector('#invitation-role').value = 'author'`);
    await page.click('#invite');
    await page.until(`document.querySelector('#new-invitation code')`);
    return (await page.read(`document.querySelector('#new-invitation code').textContent`)) as string;
  };
  await invite();
  await page.click('#invitations button');
  await page.until(`!document.querySelector('#invitations button')`);
  const url = await invite();
  assert.ok(url.startsWith(`${address}/account#invitation=dmi_`));
  // Who is signed in is asked as whom; here they are a member already, which uses nothing up.
  await page.open(url);
  await page.click('#join-signed-in');
  await page.until(`/already/.test(document.body.innerText)`);
  assert.equal(await page.read('location.hash'), '');
  await page.read(
    `[...document.querySelectorAll('button')].find((one) => one.innerText.startsWith('Sign out')).click()`,
  );
  await page.until(`document.querySelector('#join-as-new')`);
  await page.read(`document.querySelector('#join-name').value = ${JSON.stringify(hostile.slice(0, 100))}`);
  await page.click('#join-as-new');
  await page.until(`/Add a passkey/.test(document.querySelector('#notice')?.innerText)`);
  assert.equal(await page.read(`document.querySelector('h1').textContent`), hostile.slice(0, 100));
  await page.until(`document.querySelector('#workspace')`);
  const shown = (await page.read('document.body.innerText')) as string;
  assert.match(shown, /ada@example\.com[\s\S]*You are author here/);
  assert.doesNotMatch(shown, /Open invitations|Members/);
  await page.read(`document.querySelector('#passkey-name').value = 'of Ada'`);
  await page.click('#add-passkey');
  await page.until(`document.querySelector('#passkeys')?.innerText.includes('of Ada')`);
  await page.open(url);
  await page.until(`/not valid/.test(document.body.innerText)`);
});

test('A-14: a page of another site writes nothing with the cookie of this browser', inPage, async () => {
  const evil = createServer((_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<p>evil</p>'),
  );
  await once(evil.listen(0, '127.0.0.1'), 'listening');
  const before = (await liveKeys()).length;
  try {
    for (const host of ['127.0.0.1', 'localhost']) {
      await page.open(`http://${host}:${(evil.address() as AddressInfo).port}/`);
      const answers = await page.read(`Promise.all(['text/plain', 'application/x-www-form-urlencoded'].map((type) =>
        fetch('${address}/v1/keys', { method: 'POST', mode: 'no-cors', credentials: 'include',
          headers: { 'content-type': type }, body: JSON.stringify({ name: 'evil', role: 'viewer' }) }).then(
            (answer) => answer.type, (error) => error.name)))`);
      assert.equal(answers.length, 2);
      await page.read(`document.body.innerHTML = '<form method="post" enctype="text/plain" action="${address}/v1/keys">' +
        '<input name="{&quot;name&quot;:&quot;evil&quot;,&quot;role&quot;:&quot;viewer&quot;,&quot;x&quot;:&quot;" value="&quot;}"></form>';
        document.querySelector('form').submit()`);
      await page.until(`location.href.startsWith('${address}/v1/keys')`);
      assert.match(await page.read('document.body.innerText'), /"code":"(csrf|unauthenticated|invalid_request)"/);
    }
    assert.equal((await liveKeys()).length, before);
  } finally {
    evil.close();
  }
});

test('the page broke none of its rules', inPage, async () => {
  await page.open(`${address}/account`);
  await page.until(`document.querySelector('#sessions')`);
  assert.deepEqual(await page.read('window.__violations'), []);
  assert.equal(await page.read('typeof window.__pwned'), 'undefined');
  assert.deepEqual(
    page.complaints.filter((text) => !/favicon|CORS|no-cors/.test(text)),
    [],
  );
});
