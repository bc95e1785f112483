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

/** A browser that keeps its cookie and sends what a page of ours would; it signs in with a link of the workspace's owner. */
export async function browserForTests(
  platform: TestPlatform,
  options: { link?: string; workspace?: TestWorkspace } = {},
): Promise<BrowserForTests> {
  const { workspace = platform.alpha } = options;
  let cookie = '';
  let csrf = '';
  const call: BrowserForTests['call'] = async (method, path, body, headers = {}) => {
    const token = method === 'GET' ? {} : { 'damask-csrf': csrf };
    const given = { cookie, 'sec-fetch-site': 'same-origin', ...token, ...headers };
    const reply = await platform.call(method, path, body, { key: null, headers: given });
    const set = reply.headers.get('set-cookie')?.split(';')[0];
    if (set !== undefined && reply.status < 300) {
      cookie = set;
      csrf = (await platform.call('GET', '/v1/login', undefined, { key: null, headers: { cookie } })).body.csrf ?? '';
    }
    return reply;
  };
  const link = options.link ?? (await newLink(platform, workspace.ownerKey));
  const entered = await call('POST', '/v1/login/link', { link });
  const login = entered.status === 200 ? (await call('GET', '/v1/login')).body : undefined;
  const within = { 'damask-workspace': workspace.id };
  return { call, entered, login, within, cookie: () => cookie, csrf: () => csrf };
}
