import { enableCompileCache } from 'node:module';
import { closeOtherWays } from './platform/egress/close-other-ways.ts';

enableCompileCache();
closeOtherWays();
const { runCommand } = await import('./run-command.ts');
await runCommand(process.argv.slice(2));
