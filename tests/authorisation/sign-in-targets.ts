import { randomUUID } from 'node:crypto';
import type { Input } from '../sample-input.ts';
import type { TwoWorkspaces } from './two-workspaces.ts';

type Target = (world: TwoWorkspaces) => Input | Promise<Input>;

const freshName = () => `fresh_${randomUUID().slice(0, 8)}`;

/** What belongs to signing in: inputs that work, as in `targets.ts`. */
export const signInTargets: Readonly<Record<string, Target>> = {
  'POST /v1/login-links': () => ({}),
  'POST /v1/login/passkey/options': () => ({}),
  'POST /v1/login/passkey': () => ({}),
  // Keys do none of these.
  'GET /v1/me/command-line-logins/{user_code}': () => ({ user_code: 'BBBB-BBBB' }),
  'POST /v1/me/command-line-logins/{user_code}/approval': () => ({ user_code: 'BBBB-BBBB' }),
  'DELETE /v1/login': () => ({}),
  'DELETE /v1/me/login-sessions/{login_session}': () => ({}),
  'POST /v1/me/passkeys/options': () => ({}),
  'POST /v1/me/passkeys': () => ({}),
  'DELETE /v1/me/passkeys/{passkey}': () => ({ passkey: '01900000-0000-7000-8000-000000000000' }),
  'POST /v1/login/command-line': () => ({ challenge: 'c'.repeat(43), name: freshName() }),
  'POST /v1/login/command-line/{login}': () => ({ verifier: 'v'.repeat(43) }),
  'POST /v1/invitations': () => ({ role: 'viewer' }),
  'DELETE /v1/invitations/{invitation}': async (world) => ({ invitation: (await invitation(world)).id }),
  'POST /v1/login/invitation/options': invitation,
  'POST /v1/login/invitation': async (world) => ({ ...(await invitation(world)), name: freshName() }),
  'POST /v1/login/invitation/provider': async (world) => ({
    ...(await invitation(world)),
    login: '01900000-0000-7000-8000-000000000000',
  }),
  'POST /v1/me/invitations': invitation,
  'POST /v1/login/link': async (world) => {
    const { url } = await make(world, 'POST', '/v1/login-links', {});
    return { link: String(url).split('#link=')[1] };
  },
  'PUT /v1/identity-providers/{identity_provider}': () => ({
    identity_provider: freshName(),
    issuer: 'https://login.example',
    client_id: 'damask',
  }),
  'DELETE /v1/identity-providers/{identity_provider}': async (world) => {
    const name = freshName();
    const settings = { issuer: 'https://login.example', client_id: 'damask' };
    await make(world, 'PUT', `/v1/identity-providers/${name}`, settings);
    return { identity_provider: name };
  },
};

async function invitation(world: TwoWorkspaces) {
  const { id, url } = await make(world, 'POST', '/v1/invitations', { role: 'viewer' });
  return { id: String(id), secret: String(url).split('#invitation=')[1] };
}

async function make(world: TwoWorkspaces, method: string, path: string, body: unknown) {
  const reply = await world.send(method, path, { key: world.alpha.owner, body });
  if (reply.status >= 300) throw new Error(`${method} ${path} answered ${reply.status}: ${reply.text}`);
  return reply.body;
}
