import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { registerHooks } from 'node:module';
import type { AddressInfo } from 'node:net';
import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose';

export interface TestPerson {
  readonly sub: string;
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly name?: string;
  readonly groups?: readonly string[];
}

/** A real identity provider on loopback whose people sign in without being asked. */
export interface TestIdentityProvider {
  readonly issuer: string;
  /** `host:port`, for the list of allowed addresses. */
  readonly host: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Who sits at the browser. */
  person: TestPerson;
  /** Requests by path, such as `POST /token`. */
  readonly asked: string[];
  /** Takes an address into the client's list, as its operator does. */
  allowRedirect(uri: string): void;
  /** Signs with a new key from now on, and publishes only that. */
  rotate(): Promise<void>;
  /** Follows an authorization request as a browser does, to the address that it is sent back to. */
  browse(location: string): Promise<string>;
  /** A token that this provider's present key signs. */
  sign(claims: JWTPayload, header?: Partial<JWTHeaderParameters>): Promise<string>;
  /** The public half of that key, as PEM. */
  publicPem(): string;
  stop(): Promise<void>;
}

type SigningKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

type Provider = { callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void> } & Record<
  'interactionFinished' | 'interactionDetails',
  (...all: unknown[]) => Promise<unknown>
>;

/** Its one client comes back to addresses that are allowed later: they hold ids that are not known yet. */
export async function startIdentityProvider(): Promise<TestIdentityProvider> {
  withoutGeneratedCode();
  // It has no types of its own.
  const { default: OidcProvider } = (await import('oidc-provider' as string)) as {
    default: new (issuer: string, configuration: object) => Provider;
  };
  const asked: string[] = [];
  const clientId = 'damask';
  const clientSecret = 'a-secret-of-the-tests-and-nobody-else';
  let handle: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${(request.url ?? '').split('?')[0]}`);
    handle(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer = `http://${host}`;
  let key: { kid: string; privateKey: SigningKey };
  let count = 0;
  let pem = '';
  const redirectUris = ['http://127.0.0.1/nowhere'];
  let make: () => void = () => undefined;

  const open = (keys: readonly object[]) => {
    const made = new OidcProvider(issuer, {
      jwks: { keys },
      cookies: { keys: ['only-for-tests'] },
      clients: [
        {
          client_id: clientId,
          client_secret: clientSecret,
          redirect_uris: redirectUris,
          grant_types: ['authorization_code'],
          response_types: ['code'],
        },
      ],
      pkce: { required: () => true },
      features: { devInteractions: { enabled: false } },
      conformIdTokenClaims: false,
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
      scopes: ['openid', 'email', 'profile', 'groups'],
      interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
      findAccount: (_: unknown, id: string) => ({
        accountId: id,
        claims: () => ({ ...provider.person, sub: id }),
      }),
      async loadExistingGrant(ctx: {
        oidc: { provider: { Grant: new (of: object) => Grant }; session: { accountId: string } };
      }) {
        const grant = new ctx.oidc.provider.Grant({ clientId, accountId: ctx.oidc.session.accountId });
        grant.addOIDCScope('openid email profile groups');
        await grant.save();
        return grant;
      },
      ttl: { Session: 3_600, Interaction: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
    });
    const answer = made.callback();
    handle = (request, response) => {
      if (!request.url?.startsWith('/interaction/')) return void answer(request, response);
      const login = { login: { accountId: provider.person.sub } };
      made.interactionFinished(request, response, login).catch(() => response.writeHead(500).end());
    };
  };

  const provider: TestIdentityProvider = {
    issuer,
    host,
    clientId,
    clientSecret,
    person: { sub: 'ada' },
    asked,
    async rotate() {
      const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
      pem = await exportSPKI(publicKey);
      key = { kid: `key-${++count}`, privateKey };
      const jwk = { ...(await exportJWK(privateKey)), kid: key.kid, alg: 'RS256', use: 'sig' };
      make = () => open([jwk]);
      make();
    },
    allowRedirect(uri) {
      redirectUris.push(uri);
      make();
    },
    async browse(location) {
      const cookies = new Map<string, string>();
      let at = location;
      for (let hop = 0; hop < 10; hop++) {
        if (!at.startsWith(issuer)) return at;
        const answer = await fetch(at, {
          redirect: 'manual',
          headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
        });
        for (const line of answer.headers.getSetCookie()) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
          cookies.set(name, value);
        }
        const next = answer.headers.get('location');
        if (next === null)
          throw new Error(`The provider answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
        at = new URL(next, at).href;
      }
      throw new Error('The provider leads in a circle');
    },
    publicPem: () => pem,
    async sign(claims, header = {}) {
      const { alg = 'RS256' } = header;
      // Its own key, for whatever algorithm the head names.
      const { alg: _, ...jwk } = await exportJWK(key.privateKey);
      return new SignJWT(claims).setProtectedHeader({ alg, kid: key.kid, ...header }).sign(await importJWK(jwk, alg));
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  await provider.rotate();
  return provider;
}

// One of its packages words its warnings by code that it makes from a text, which our process does not allow.
function withoutGeneratedCode(): void {
  const source = 'module.exports = () => Object.assign(() => {}, { function: (one) => one, property() {} });';
  registerHooks({
    load: (url, context, next) =>
      url.endsWith('/depd/index.js') ? { format: 'commonjs', source, shortCircuit: true } : next(url, context),
  });
}

interface Grant {
  addOIDCScope(scope: string): void;
  save(): Promise<string>;
}
