import type { Commands } from './command.ts';
import { identityCommands } from './identity-commands.ts';
import { machineCommands } from './machine-commands.ts';
import { runCommands } from './run-commands.ts';

/** Every command, in the order of the help. */
export const commands: Commands = { ...runCommands, ...identityCommands, ...machineCommands };
