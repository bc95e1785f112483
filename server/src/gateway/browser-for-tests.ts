import assert from 'node:assert/strict';
import type { Reply, TestPlatform, TestWorkspace } from '../testing/test-platform.ts';

export interface BrowserForTests {
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  /** The answer to its sign-in. */
  readonly entered: Reply;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as they come.
  readonly login: any;
  /** Names the workspace. */
  readonly within: Record<string, string>;
  cookie(): string;
  csrf(): string;
}

/** The secret of a new one-time link. */
export async function newLink(platform: TestPlatform, key = platform.alpha.ownerKey): Promise<string> {
  const { status, body } = await platform.call('POST', '/v1/login-links', {}, { key });
  assert.equal(status, 201, body.detail);
  return body.url.slice(body.url.indexOf('#link=') + '#link='.length);
}

/** A browser that keeps its cookie and sends what a page of ours would; nobody is signed in. */
export function newBrowser(platform: TestPlatform): Pick<BrowserForTests, 'call' | 'cookie' | 'csrf'> {
  let cookie = '';
  let csrf = '';
  return {
    async call(method, path, body, headers = {}) {
      const token = method === 'GET' ? {} : { 'damask-csrf': csrf };
      const given = { ...(cookie ? { cookie } : {}), 'sec-fetch-site': 'same-origin', ...token, ...headers };
      const reply = await platform.call(method, path, body, { key: null, headers: given });
      const set = reply.headers.get('set-cookie')?.split(';')[0];
      if (set?.startsWith('damask=') && reply.status < 300) {
        cookie = set;
        csrf = (await platform.call('GET', '/v1/login', undefined, { key: null, headers: { cookie } })).body.csrf ?? '';
      }
      return reply;
    },
    cookie: () => cookie,
    csrf: () => csrf,
  };
}

/** A browser that signs in with a link of the workspace's owner. */
export async function browserForTests(
  platform: TestPlatform,
  options: { link?: string; workspace?: TestWorkspace } = {},
): Promise<BrowserForTests> {
  const { workspace = platform.alpha } = options;
  const browser = newBrowser(platform);
  const link = options.link ?? (await newLink(platform, workspace.ownerKey));
  const entered = await browser.call('POST', '/v1/login/link', { link });
  const login = entered.status === 200 ? (await browser.call('GET', '/v1/login')).body : undefined;
  const within = { 'damask-workspace': workspace.id };
  return { ...browser, entered, login, within };
}
