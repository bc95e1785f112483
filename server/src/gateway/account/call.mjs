let known;

/** What GET /v1/login answered last: who is signed in, and the token that writes need. */
export const login = () => known;

export function setLogin(answer) {
  known = answer;
}

/** One call of the interface. The cookie goes along by itself; a problem is an answer like others. */
export async function call(method, path, body, workspace) {
  try {
    const response = await fetch(path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'GET' || known?.csrf == null ? {} : { 'damask-csrf': known.csrf }),
        ...(workspace === undefined ? {} : { 'damask-workspace': workspace }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { ok: response.ok, status: response.status, body: await response.json() };
  } catch {
    return { ok: false, status: 0, body: { detail: 'The server does not answer. Try again.' } };
  }
}
