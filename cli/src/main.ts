import { openCommand } from './open-command.ts';
import { openTerminal } from './terminal.ts';

process.exitCode = await openCommand(process.argv.slice(2), openTerminal());
