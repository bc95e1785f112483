import { enableCompileCache } from 'node:module';
import { closeOtherWays } from './platform/egress/close-other-ways.ts';

enableCompileCache();
// Where an operator asks Node for reports of crashes, these hold all variables of the environment, and so all secrets.
process.report.excludeEnv = true;
closeOtherWays();
const { runCommand } = await import('./run-command.ts');
await runCommand(process.argv.slice(2));
