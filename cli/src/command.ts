import type { Damask } from '@damask/sdk';
import type { Config } from './config.ts';
import type { Terminal } from './terminal.ts';

/** What the shell offers where a word is expected. */
export type Kind =
  | 'patterns'
  | 'models'
  | 'strategies'
  | 'contexts'
  | 'sessions'
  | 'timers'
  | 'budgets'
  | 'files'
  | 'commands'
  | 'shells';

export interface Flag {
  readonly type: 'boolean' | 'string';
  readonly completes?: Kind;
  readonly short?: string;
  /** May be given several times. */
  readonly multiple?: true;
  /** What to write for the value, in the help: `<provider/model>`. */
  readonly value?: string;
  readonly help: string;
}

export type Flags = Readonly<Record<string, Flag>>;

export type FlagValues<F extends Flags> = {
  readonly [Name in keyof F]: FlagValue<F[Name]>;
};

type FlagValue<F extends Flag> = F['type'] extends 'boolean'
  ? boolean | undefined
  : F['type'] extends 'string'
    ? F['multiple'] extends true
      ? readonly string[]
      : string | undefined
    : boolean | string | readonly string[] | undefined;

export interface Invocation<F extends Flags = Flags> {
  readonly flags: FlagValues<F>;
  readonly positionals: readonly string[];
  readonly config: Config;
  readonly terminal: Terminal;
  /** All commands, for those that speak of others. */
  readonly commands: Commands;
  /** Opens the way to the server; from here on Ctrl-C breaks off what is under way. */
  connect(): Promise<ServerAccess>;
}

export interface ServerAccess {
  readonly damask: Damask;
  /** Aborts on Ctrl-C and when nobody reads the output any more; every call to the server is bound to it. */
  readonly signal: AbortSignal;
  /** Whether this command started the server. */
  startedServer(): boolean;
  /** Says what the server's own progress is, where this command started it. */
  onProgress(listen: (event: ServerProgress) => void): void;
}

/** The local model on its way; numbers are bytes. */
export interface ServerProgress {
  /** `waiting` for another process, `downloading`, `unpacking`, `verifying`, `installing`. */
  readonly phase: string;
  readonly received: number;
  readonly total: number | undefined;
}

export interface Command<F extends Flags = Flags> {
  /** One or two words: `run`, `runs show`. */
  readonly name: string;
  /** What follows the name: `<pattern> [text...]`. */
  readonly usage: string;
  /** A few sentences for the command's own help. */
  readonly about: string;
  readonly flags: F;
  /** How many positional arguments it takes. */
  readonly positionals: readonly [least: number, most: number];
  readonly examples: readonly string[];
  /** What each positional argument may be; the last holds for all that follow. */
  readonly completes?: readonly Kind[];
  /** Hands all its arguments on as they are. */
  readonly raw?: true;
  /** Resolves to an exit code; nothing means 0. */
  run(invocation: Invocation<F>): Promise<number | undefined> | Promise<void>;
}

export interface CommandEntry {
  readonly summary: string;
  /** Commands are loaded one at a time: loading all of them would cost every start. */
  load(): Promise<Command>;
}

export type Commands = Readonly<Record<string, CommandEntry>>;

/** Keeps the literal types of a command's flags. */
export function defineCommand<const F extends Flags>(command: Command<F>): Command<F> {
  return command;
}

/** Flags of every command that needs a server. */
export const serverFlags = {
  'no-start': { type: 'boolean', help: 'Do not start a server when none is running.' },
} as const satisfies Flags;

export const jsonFlag = {
  json: { type: 'boolean', help: 'Print JSON as the server sent it.' },
} as const satisfies Flags;

/** Of commands that change who may do what, or what runs do. */
export const reasonFlag = {
  reason: { type: 'string', value: '<text>', help: 'Why, for the audit log.' },
} as const satisfies Flags;
