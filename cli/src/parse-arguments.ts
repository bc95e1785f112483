import { closestName } from './closest-name.ts';
import type { Command, Flags, FlagValues } from './command.ts';
import { UnknownFlagError, UsageError } from './usage-error.ts';

// An import of a built-in evaluates all its lazy exports: node:util alone costs 3 ms so, this way a fraction.
const { parseArgs } = process.getBuiltinModule('node:util');

export interface Arguments<F extends Flags> {
  readonly flags: FlagValues<F>;
  readonly positionals: readonly string[];
  readonly help: boolean;
}

/** Reads a command's arguments. Short flags also take Fabric's form `-m=value`. Throws UsageError. */
export function parseArguments<F extends Flags>(command: Command<F>, args: readonly string[]): Arguments<F> {
  const flags: Flags = { ...command.flags, help: { type: 'boolean', short: 'h', help: '' } };
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { type, short, multiple }]) => [
      name,
      { type, multiple: multiple ?? false, ...(short ? { short } : {}) },
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const values: Record<string, string | boolean | string[]> = {};
  for (const [name, flag] of Object.entries(flags)) if (flag.multiple) values[name] = [];
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind === 'option') takeOption(command, flags, values, token);
  }
  const help = values.help === true;
  if (!help) checkCount(command, positionals);
  return { flags: values as FlagValues<F>, positionals, help };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function takeOption(command: Command, flags: Flags, values: Record<string, unknown>, token: OptionToken): void {
  const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined;
  if (!flag) throw unknownOption(command, flags, token.rawName);
  if (flag.type === 'boolean') {
    if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value. ${seeHelp(command)}`);
    values[token.name] = true;
    return;
  }
  const looksLikeFlag = !token.inlineValue && token.value !== undefined && /^-[^\d.]/.test(token.value);
  if (token.value === undefined || looksLikeFlag) {
    throw new UsageError(
      `${token.rawName} needs a value: ${token.rawName} ${flag.value ?? '<value>'}. ${seeHelp(command)}`,
    );
  }
  const short = !token.rawName.startsWith('--');
  const value = short && token.inlineValue ? token.value.replace(/^=/, '') : token.value;
  if (flag.multiple) (values[token.name] as string[]).push(value);
  else values[token.name] = value;
}

function unknownOption(command: Command, flags: Flags, rawName: string): UsageError {
  const long = rawName.startsWith('--');
  const meant = long ? closestName(rawName.slice(2), Object.keys(flags)) : undefined;
  const hint = meant ? `Did you mean --${meant}?` : 'Text that starts with - comes after --.';
  return new UnknownFlagError(`'damask ${command.name}' has no flag ${rawName}. ${hint} ${seeHelp(command)}`, rawName);
}

function checkCount(command: Command, positionals: readonly string[]): void {
  const [least, most] = command.positionals;
  if (positionals.length < least) {
    throw new UsageError(
      `Something is missing. Write: damask ${command.name} ${command.usage}\n  For example: ${command.examples[0]}`,
    );
  }
  if (positionals.length > most) {
    throw new UsageError(
      `'${positionals[most]}' is one argument too many. Write: damask ${command.name} ${command.usage}`,
    );
  }
}

function seeHelp(command: Command): string {
  return `See: damask help ${command.name}`;
}
