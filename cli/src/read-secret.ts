import { askPerson } from './ask-person.ts';
import { namedVariable } from './config.ts';
import { InputError } from './input-error.ts';
import { readInput } from './read-input.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/**
 * A secret from an environment variable, the standard input, or a person who types it unseen; undefined: leave what there is.
 * `what` names it and its flags: `key` has `--key-env`, `--key-stdin` and `--no-key`. Errors: `UsageError` when nobody says
 * where it is, or several do; `InputError` when it is none.
 */
export async function readSecret(
  terminal: Terminal,
  given: {
    readonly what: 'key' | 'secret';
    readonly env: string | undefined;
    readonly stdin: boolean | undefined;
    readonly none: boolean | undefined;
    /** What it belongs to is there already. */
    readonly known: boolean;
    /** So is the secret. */
    readonly kept: boolean;
  },
): Promise<string | undefined> {
  const { what, env } = given;
  if ([env !== undefined, given.stdin, given.none].filter(Boolean).length > 1) {
    throw new UsageError(`Say only one of --${what}-env, --${what}-stdin and --no-${what}.`);
  }
  if (given.none) return undefined;
  if (env !== undefined) {
    const value = namedVariable(env);
    if (value === undefined) throw new InputError(`The environment variable ${env} is not set.`);
    return checked(value, what);
  }
  if (given.stdin) return checked(await readInput([], terminal), what);
  if (!terminal.stdinIsTerminal) {
    if (given.known) return undefined;
    throw new UsageError(
      `Where is the ${what}? Say --${what}-env <variable>, --${what}-stdin, or --no-${what} when it needs none.`,
    );
  }
  const title = what === 'key' ? 'Key' : 'Secret';
  const typed = await askPerson(terminal, `${title} (empty: ${given.kept ? 'the one that it has' : 'none'}):`, true);
  return typed === '' ? undefined : checked(typed, what);
}

function checked(text: string, what: string): string {
  const secret = text.trim();
  if (/^[\x21-\x7e]+$/.test(secret)) return secret;
  throw new InputError(`That is no ${what}: it is empty, or holds a space, a line break or other letters.`);
}
