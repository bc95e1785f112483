import { closestName } from './closest-name.ts';
import { type Command, type Invocation, reasonFlag } from './command.ts';
import { commands } from './commands.ts';
import { type Config, readConfig } from './config.ts';
import type { OpenAccess } from './connect.ts';
import { Interrupted } from './interrupted.ts';
import { parseArguments } from './parse-arguments.ts';
import type { Terminal } from './terminal.ts';
import { UnknownFlagError, UsageError } from './usage-error.ts';

const ownErrors: ReadonlySet<string> = new Set(['StartError', 'InputError']);

/** Finds the command, runs it, tells its errors. Resolves to the exit code. */
export async function openCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  let config: Config | undefined;
  let access: OpenAccess | undefined;
  try {
    const [name, rest] = await chooseCommand(args);
    if (name === '--version') {
      const { readVersion } = await import('./read-version.ts');
      await terminal.print(readVersion());
      return 0;
    }
    if (name === 'help') {
      const { printHelp } = await import('./print-help.ts');
      await printHelp(rest, terminal);
      return 0;
    }
    const command = (await commands[name]?.load()) as Command;
    const parsed = command.raw
      ? { flags: {}, positionals: rest, help: rest[0] === '--help' || rest[0] === '-h' }
      : parseArguments(command, rest);
    if (parsed.help) {
      const { printHelp } = await import('./print-help.ts');
      await printHelp([name], terminal);
      return 0;
    }
    config = readConfig();
    const known: Config = config;
    const invocation: Invocation = {
      flags: parsed.flags,
      positionals: parsed.positionals,
      config,
      terminal,
      commands,
      async connect() {
        const { connect } = await import('./connect.ts');
        // Of a command that asks for another reason it is that one.
        const told = command.flags.reason === reasonFlag.reason;
        const { reason } = parsed.flags as { reason?: string };
        access ??= connect(known, terminal, !parsed.flags['no-start'], told ? reason : undefined);
        return access;
      },
    };
    const code = (await command.run(invocation)) ?? 0;
    await terminal.settled();
    return code;
  } catch (thrown) {
    // What broke because the command gave up is no error of its own.
    const error = access?.signal.aborted ? access.signal.reason : await betterOf(thrown);
    const { exitCodeOf } = await import('./exit-codes.ts');
    if (!(error instanceof Interrupted)) {
      const { explainError } = await import('./explain-error.ts');
      explainError(error, config, terminal);
    } else if (!error.quiet) terminal.note('damask: interrupted');
    return exitCodeOf(error);
  } finally {
    terminal.status('');
    await access?.close();
  }
}

async function betterOf(thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof UnknownFlagError)) return causeOf(thrown);
  const { insteadOfFabric } = await import('./fabric-flags.ts');
  const sentence = insteadOfFabric(thrown.flag);
  return sentence === undefined ? thrown : new UsageError(sentence);
}

// The sdk wraps what its transport throws; an error of this command's own says more than `unreachable`.
function causeOf(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && ownErrors.has(cause.name) ? cause : error;
}

/** Flags alone are a run, as in Fabric, unless they are Fabric's for something else. */
async function chooseCommand(args: readonly string[]): Promise<[name: string, rest: readonly string[]]> {
  const [first, second] = args;
  if (first === undefined || first === '--help' || first === '-h') return ['help', []];
  if (first === '--version') return ['--version', []];
  if (first.startsWith('-')) {
    if (/^-(-pattern|p)/.test(first)) return ['run', args];
    const { fabricCommand } = await import('./fabric-flags.ts');
    const [name = 'run', ...rest] = fabricCommand(args) ?? ['run', ...args];
    return [name, rest];
  }
  const two = `${first} ${second}`;
  if (Object.hasOwn(commands, two)) return [two, args.slice(2)];
  if (first === 'help') return ['help', args.slice(1)];
  if (Object.hasOwn(commands, first)) return [first, args.slice(1)];
  throw new UsageError(unknownCommand(first));
}

function unknownCommand(name: string): string {
  const family = Object.keys(commands).filter((one) => one.startsWith(`${name} `));
  if (family.length > 0) return `What about it? Write: ${family.map((one) => `damask ${one}`).join(', ')}.`;
  const words = [...new Set(['help', ...Object.keys(commands)].flatMap((one) => [one, one.split(' ')[0] ?? one]))];
  const meant = closestName(name, words);
  const hint = meant ? `Did you mean \`damask ${meant}\`?` : `To run a pattern: damask run ${name}.`;
  return `There is no command '${name}'. ${hint} \`damask help\` lists the commands.`;
}
