import { expectSameAnswers } from './expect-same-answers.ts';
import { startIdentityApart, startOneProcess, startThreeProcesses, startTwoProcesses } from './start-topology.ts';

expectSameAnswers({
  'two processes, as by default': startTwoProcesses,
  'one process': startOneProcess,
  'identity on its own': startIdentityApart,
  'three processes on their own': startThreeProcesses,
});
