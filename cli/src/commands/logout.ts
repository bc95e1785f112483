import { createDamask } from '@damask/sdk';
import { changeCredentials } from '../change-credentials.ts';
import { defineCommand } from '../command.ts';
import { checkAddress } from '../config.ts';
import { type Instance, isSameServer, loginId, readCredentials } from '../credentials.ts';

export const logout = defineCommand({
  name: 'logout',
  usage: '[flags]',
  about:
    'Forgets the key or the login of a server. A key itself stays valid: `damask keys revoke` ends it; a login is ended where\n' +
    'the server answers. The key that a server on this machine wrote for its own data is left.',
  flags: {
    url: { type: 'string', value: '<address>', help: 'The address of the server; that of `damask login` by default.' },
  },
  positionals: [0, 0],
  examples: ['damask logout', 'damask logout --url https://damask.example.org'],
  async run({ flags, config, terminal }) {
    const url = flags.url === undefined ? config.url : checkAddress('--url', flags.url);
    const { path, exists, instances } = readCredentials(config.configDir);
    let forgotten = 0;
    if (exists) {
      await endLogins(instances, url);
      await changeCredentials(config.configDir, ({ current, ...content }) => {
        const kept = Object.entries(content.instances).filter(
          ([id, entry]) => id !== loginId(url) && !(id.startsWith(loginId('')) && isSameServer(entry.url ?? '', url)),
        );
        forgotten = Object.keys(content.instances).length - kept.length;
        const stays = current !== undefined && !isSameServer(current, url) ? { current } : {};
        return { ...content, ...stays, instances: Object.fromEntries(kept) };
      });
    }
    terminal.note(
      forgotten > 0
        ? `The key for ${url} is no longer in ${path}.`
        : `There was no key of a login for ${url} in ${path}.`,
    );
  },
});

/** Best effort: a server that is away ends them by itself, when they are not used. */
async function endLogins(instances: readonly Instance[], url: string): Promise<void> {
  const { httpTransport: fetch } = await import('../http-transport.ts');
  for (const { id, url: at, apiKey, workspace } of instances) {
    if (workspace === undefined || !id.startsWith(loginId('')) || !isSameServer(at ?? '', url)) continue;
    const damask = createDamask({ url, apiKey, fetch, retries: 0, timeoutMs: 5_000 });
    await damask.login.end().catch(() => undefined);
  }
}
