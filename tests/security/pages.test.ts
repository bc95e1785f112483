import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findings, houseFiles } from '../architecture/house.ts';

/** What would keep something in the browser, take messages of strangers, or make a text part of the page. */
const forbidden =
  /\b(localStorage|sessionStorage|indexedDB|caches\.|document\.cookie|postMessage|onmessage|innerHTML|outerHTML|insertAdjacentHTML|srcdoc|document\.write|createContextualFragment|DOMParser)/;

const scripts = () => houseFiles().filter(({ path }) => /^server\/src\/gateway\/account\/[a-z]+\.mjs$/.test(path));

test('pages set texts as texts and keep nothing in the browser', () => {
  assert.ok(scripts().length >= 5);
  assert.deepEqual(
    scripts().flatMap((file) => findings(file, forbidden)),
    [],
  );
  assert.equal(findings({ path: 'x.mjs', text: 'localStorage.setItem(key, secret)' }, forbidden).length, 1);
  const page = scripts().find(({ path }) => path.endsWith('/page.mjs'))?.text ?? '';
  // Whoever signs out sees the page of those who did not sign in, in the place of what was shown.
  assert.match(page, /button\('Sign out', async \(\) => \{[^}]*call\('DELETE', '\/v1\/login'\)[^}]*showSignIn\(/);
});
