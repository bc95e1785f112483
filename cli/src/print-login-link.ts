import type { ServerAccess } from './command.ts';
import { InputError } from './input-error.ts';
import { printable, type Terminal } from './terminal.ts';

/** Prints an address at which the owner signs in once, in a browser. */
export async function printLoginLink({ damask, startedServer }: ServerAccess, terminal: Terminal, json: boolean) {
  const link = await damask.login.createLink();
  if (startedServer()) {
    throw new InputError(
      'No server was running, and the one of this command ends with it. Start it first: damask serve',
    );
  }
  if (json) return terminal.print(JSON.stringify(link, null, 2));
  await terminal.print(link.url);
  terminal.note(
    `It signs ${printable(link.account.name)} in once, until ${new Date(link.expires_at).toLocaleTimeString()}. Whoever has it has all that an owner has.`,
  );
}
