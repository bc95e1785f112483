import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDamask, type Damask, DamaskError } from '@damask/sdk';
import { type Config, environmentWith } from './config.ts';
import { httpTransport } from './http-transport.ts';
import { InputError } from './input-error.ts';
import { listenForCode } from './listen-for-code.ts';
import { printable, type Terminal } from './terminal.ts';

export interface SignInOptions {
  readonly url: string;
  /** The browser is on another machine, or there is none here to open. */
  readonly device: boolean;
  /** Name or id; asked for by an error where there are several. */
  readonly workspace: string | undefined;
  readonly config: Config;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

export interface SignedIn {
  /** Of a login session. */
  readonly secret: string;
  readonly workspace: string;
}

/** Lets a person approve this command line in a browser. Throws InputError when nobody does in time. */
export async function signInByBrowser(options: SignInOptions): Promise<SignedIn> {
  const { url, config, terminal, signal } = options;
  const damask = createDamask({ url, fetch: httpTransport, retries: 0, timeoutMs: 15_000, signal });
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const listener = options.device || !hasBrowser(config) ? undefined : await listenForCode(signal);
  try {
    const asked = { challenge, name: hostname().slice(0, 100) || 'a command line' };
    const begun = await damask.login.startCommandLine({
      ...asked,
      ...(listener ? { port: listener.port, state: listener.state } : {}),
    });
    // This machine opens what the server says.
    if (!/^https?:\/\//.test(begun.url) || !URL.canParse(begun.url)) {
      throw new InputError(`${url} answers with something that is no page. Check the address.`);
    }
    terminal.note(
      `Open this page, and go on when it shows the code ${begun.user_code}:\n\n  ${printable(begun.url)}\n`,
    );
    if (listener) await openPage(begun.url);
    const until = Date.parse(begun.expires_at);
    const code = await listener?.code(until);
    const made = await waitFor(damask, { login: begun.login, verifier, code }, { until, begun, signal });
    return { secret: made.secret, workspace: await chooseWorkspace(options, made.secret) };
  } finally {
    listener?.close();
  }
}

type Made = Extract<Awaited<ReturnType<Damask['login']['finishCommandLine']>>, { status: 'approved' }>;

async function waitFor(
  damask: Damask,
  input: { login: string; verifier: string; code: string | undefined },
  { until, begun, signal }: { until: number; begun: { interval_ms: number }; signal: AbortSignal },
): Promise<Made> {
  while (Date.now() < until) {
    const answer = await damask.login.finishCommandLine(input).catch((error: unknown) => {
      if (error instanceof DamaskError && error.code === 'sign_in_refused') throw notApproved();
      throw error;
    });
    if (answer.status === 'approved') return answer;
    await sleep(Math.max(250, begun.interval_ms), undefined, { signal });
  }
  throw notApproved();
}

async function chooseWorkspace({ url, workspace, signal }: SignInOptions, secret: string): Promise<string> {
  const damask = createDamask({ url, apiKey: secret, fetch: httpTransport, retries: 0, timeoutMs: 15_000, signal });
  const { workspaces } = await damask.login.read();
  const fitting = workspaces.filter(
    ({ id, name }) => workspace === undefined || id === workspace || name === workspace,
  );
  const [only] = fitting;
  if (only && fitting.length === 1) return only.id;
  await damask.login.end().catch(() => undefined);
  const names = workspaces.map(({ id, name }) => `${printable(name)} (${id})`).join(', ');
  throw new InputError(`Which workspace? Log in once more with --workspace and one of: ${names}`);
}

/** Elsewhere than on a desktop a browser would open where nobody sees it, if at all. */
function hasBrowser({ display, waylandDisplay }: Config): boolean {
  return process.platform !== 'linux' || display !== undefined || waylandDisplay !== undefined;
}

/** Where that fails, the person opens it: the address stands on the terminal. */
async function openPage(url: string): Promise<void> {
  const { startAlone } = await import('./child-process.ts');
  const programs: Readonly<Record<string, readonly string[]>> = {
    darwin: ['open', url],
    win32: ['rundll32', 'url.dll,FileProtocolHandler', url],
  };
  startAlone(programs[process.platform] ?? ['xdg-open', url], environmentWith({}));
}

function notApproved(): InputError {
  return new InputError('Nobody approved this login in time. Begin again: damask login', 'refused');
}
