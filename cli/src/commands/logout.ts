import { changeCredentials } from '../change-credentials.ts';
import { defineCommand } from '../command.ts';
import { checkAddress } from '../config.ts';
import { isSameServer, loginId, readCredentials } from '../credentials.ts';

export const logout = defineCommand({
  name: 'logout',
  usage: '[flags]',
  about:
    'Forgets the key of a server. The key itself stays valid: `damask keys revoke` ends it. The key that a server on this\n' +
    'machine wrote for its own data is left.',
  flags: {
    url: { type: 'string', value: '<address>', help: 'The address of the server; that of `damask login` by default.' },
  },
  positionals: [0, 0],
  examples: ['damask logout', 'damask logout --url https://damask.example.org'],
  async run({ flags, config, terminal }) {
    const url = flags.url === undefined ? config.url : checkAddress('--url', flags.url);
    const { path, exists } = readCredentials(config.configDir);
    let forgotten = 0;
    if (exists) {
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
