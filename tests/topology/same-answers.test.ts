import { expectSameAnswers } from './expect-same-answers.ts';
import { startFourProcesses, startTwoProcesses } from './start-topology.ts';

// same-answers.deep.test.ts takes the other forms.
expectSameAnswers({
  'two processes, as by default': startTwoProcesses,
  'four processes, of which another one executes what is queued': startFourProcesses,
});
