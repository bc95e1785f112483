import { createDamask, DamaskError, type Me } from '@damask/sdk';
import { askPerson } from '../ask-person.ts';
import { changeCredentials } from '../change-credentials.ts';
import { defineCommand, type Invocation, jsonFlag } from '../command.ts';
import { checkAddress, readConfig } from '../config.ts';
import { findInstance, isLoopback, loginId, readCredentials } from '../credentials.ts';
import { httpTransport } from '../http-transport.ts';
import { InputError } from '../input-error.ts';
import { interruptions } from '../interruptions.ts';
import { printLoginLink } from '../print-login-link.ts';
import { readInput } from '../read-input.ts';
import { printable } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

const flags = {
  url: { type: 'string', value: '<address>', help: 'The address of the server; it is asked for by default.' },
  browser: { type: 'boolean', help: 'Sign in with a browser on this machine instead of keeping a key.' },
  device: { type: 'boolean', help: 'Sign in with a browser on another machine, by a code that you compare.' },
  workspace: {
    type: 'string',
    value: '<name>',
    help: 'Of your workspaces, the one that commands use; its name or id.',
  },
  link: { type: 'boolean', help: 'Print a link that signs the owner in once, in a browser; it takes the owner key.' },
  status: { type: 'boolean', help: 'Show the server and the key in use, and change nothing.' },
  ...jsonFlag,
} as const;

export const login = defineCommand({
  name: 'login',
  usage: '[flags]',
  about:
    'Keeps a key or a login for a server in credentials.json, which only you can read, and makes that server the one that\n' +
    'commands use. It asks for the address and, unseen, for a key; without a key you sign in with your browser. From the\n' +
    'standard input it takes a key. What is kept is tried first. DAMASK_URL and DAMASK_API_KEY still win.',
  flags,
  positionals: [0, 0],
  examples: [
    'damask login',
    'damask login --url https://damask.example.org',
    'damask login --url https://damask.example.org < key.txt',
    'damask login --browser',
    'damask login --device --url https://damask.example.org',
    'damask login --status',
    'damask login --link',
  ],
  async run(invocation) {
    const { flags, config, terminal } = invocation;
    if (flags.status) return showStatus(invocation);
    if (flags.link) return printLoginLink(await invocation.connect(), terminal, flags.json === true);
    const url = await addressOf(invocation);
    const { key, workspace } = await credentialOf(invocation, url);
    const signal = interruptions(terminal);
    const options = { retries: 0, timeoutMs: 15_000, signal };
    const damask = createDamask({ url, apiKey: key, workspace, fetch: httpTransport, ...options });
    const me = await damask.me().catch((error: unknown) => {
      throw explainRefusal(error, url);
    });
    const path = await changeCredentials(config.configDir, (content) => {
      const entry = { url, api_key: key, data_dir: null, ...(workspace === undefined ? {} : { workspace }) };
      return { ...content, current: url, instances: { ...content.instances, [loginId(url)]: entry } };
    });
    if (flags.json) return terminal.print(JSON.stringify({ url, ...me }, null, 2));
    await terminal.print(`Logged in to ${url} as ${describe(me)}.`);
    terminal.note(terminal.paintNote('dim', `${workspace === undefined ? 'The key' : 'The login'} is kept in ${path}`));
    const winners = config.apiKey === undefined ? '' : 'DAMASK_API_KEY is set and wins over this key. ';
    const other =
      readConfig().url === url ? '' : 'Commands still use another server here: DAMASK_URL or DAMASK_DATA_DIR is set.';
    if (winners + other) terminal.note(`${winners}${other}`.trim());
  },
});

/** The settings of this shell have no part in it: what was tried is the address and the key that were given. */
function explainRefusal(error: unknown, url: string): unknown {
  if (!(error instanceof DamaskError)) return error;
  if (error.code === 'unreachable') {
    const why = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? error.code;
    return new InputError(
      `No server answers at ${url} (${why}). Check the address; nothing was changed.`,
      'unreachable',
    );
  }
  if (error.code !== 'unauthenticated') return error;
  return new InputError(
    `${url} does not take this key. Check that all of it was given; an admin makes a new one with: damask keys create --name me --role author`,
    'refused',
  );
}

type LoginInvocation = Invocation<typeof flags>;

const describe = ({ actor, workspace }: Me) =>
  printable(`${actor.name} (${actor.role}) of workspace ${workspace.name}`);

async function addressOf({ flags, config, terminal }: LoginInvocation): Promise<string> {
  if (flags.url !== undefined) return checkAddress('--url', flags.url);
  if (flags.browser || flags.device) return config.url;
  if (!terminal.stdinIsTerminal)
    throw new UsageError('Which server? For example: damask login --url https://damask.example.org < key.txt');
  const typed = await askPerson(terminal, `Address of the server [${config.url}]:`);
  return checkAddress('The address', typed === '' ? config.url : typed);
}

/** A key that is typed or piped, or what a browser approves. */
async function credentialOf(
  { flags, config, terminal }: LoginInvocation,
  url: string,
): Promise<{ key: string; workspace: string | undefined }> {
  if (url.startsWith('http:') && !isLoopback(url)) {
    terminal.note(terminal.paintNote('yellow', `The key travels to ${url} unencrypted: prefer https.`));
  }
  const asked = flags.browser !== true && flags.device !== true;
  const given = !asked
    ? ''
    : terminal.stdinIsTerminal
      ? await askPerson(terminal, 'Key (dmk_...), or Enter to sign in with a browser:', true)
      : await readInput([], terminal);
  const key = given.trim();
  if (key === '' && (!asked || terminal.stdinIsTerminal)) {
    const { signInByBrowser } = await import('../sign-in-by-browser.ts');
    const signal = interruptions(terminal);
    const device = flags.device === true;
    const signedIn = await signInByBrowser({ url, device, workspace: flags.workspace, config, terminal, signal });
    return { key: signedIn.secret, workspace: signedIn.workspace };
  }
  if (key === '')
    throw new InputError('No key was given. An admin makes one with: damask keys create --name me --role author');
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new InputError('That is no key: it holds a space, a line break or other letters.');
  return { key, workspace: undefined };
}

async function showStatus({ flags, config, terminal, connect }: LoginInvocation): Promise<void> {
  const credentials = readCredentials(config.configDir);
  const from = config.apiKey === undefined ? credentials.path : 'DAMASK_API_KEY';
  const found = config.apiKey !== undefined || findInstance(credentials, config.url) !== undefined;
  if (!found) {
    throw new InputError(`There is no key for ${config.url}. Log in: damask login --url ${config.url}`, 'notFound');
  }
  const { damask } = await connect();
  const me = await damask.me();
  if (flags.json) return terminal.print(JSON.stringify({ url: config.url, key_from: from, ...me }, null, 2));
  await terminal.print(`${config.url} as ${describe(me)}, with the key of ${from}`);
}
