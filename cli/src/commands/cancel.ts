import { defineCommand } from '../command.ts';
import { runsCancel } from './runs-cancel.ts';

export const cancel = defineCommand({
  ...runsCancel,
  name: 'cancel',
  about: 'Stops a run and its call to the model, whichever process executes it. The same as `damask runs cancel`.',
  examples: ['damask cancel last'],
});
