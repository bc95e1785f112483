import { call } from './call.mjs';

/** Asks the browser for one of its passkeys and the server whether it takes it. */
export async function signInWithPasskey() {
  const started = await call('POST', '/v1/login/passkey/options', {});
  if (!started.ok) return started;
  const { options, state } = started.body;
  return ask(
    () => navigator.credentials.get({ publicKey: { ...options, challenge: toBytes(options.challenge) } }),
    ({ id, response }) =>
      call('POST', '/v1/login/passkey', {
        state,
        passkey: {
          id,
          client_data: toText(response.clientDataJSON),
          authenticator_data: toText(response.authenticatorData),
          signature: toText(response.signature),
        },
      }),
  );
}

export async function addPasskey(name) {
  const started = await call('POST', '/v1/me/passkeys/options', {});
  if (!started.ok) return started;
  const { options, state } = started.body;
  const publicKey = {
    ...options,
    challenge: toBytes(options.challenge),
    user: { ...options.user, id: toBytes(options.user.id) },
    excludeCredentials: options.excludeCredentials.map((one) => ({ ...one, id: toBytes(one.id) })),
  };
  return ask(
    () => navigator.credentials.create({ publicKey }),
    ({ id, response }) =>
      call('POST', '/v1/me/passkeys', {
        name,
        state,
        passkey: {
          id,
          client_data: toText(response.clientDataJSON),
          attestation_object: toText(response.attestationObject),
          transports: response.getTransports?.() ?? [],
        },
      }),
  );
}

async function ask(browser, then) {
  let credential;
  try {
    credential = await browser();
  } catch (error) {
    const detail =
      error.name === 'SecurityError'
        ? `Passkeys need a name in the address. Open this page at ${location.protocol}//localhost:${location.port}${location.pathname}`
        : 'The browser gave no passkey. Try again, or sign in another way.';
    return { ok: false, status: 0, body: { detail } };
  }
  return then(credential);
}

function toBytes(text) {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

function toText(bytes) {
  const plain = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(plain).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
