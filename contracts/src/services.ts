import { batchOperations } from './batch-operations.ts';
import { budgetOperations } from './budget-operations.ts';
import { commandLineLoginOperations, commandLineSignInOperations } from './command-line-login.ts';
import { contextOperations } from './context.ts';
import { egressOperations } from './egress.ts';
import { gatewayOperations } from './gateway.ts';
import { historyOperations } from './history.ts';
import { identityOperations } from './identity.ts';
import { providerSignInOperations } from './identity-provider.ts';
import { invitationSignInOperations } from './invitation.ts';
import { loginOperations } from './login.ts';
import { modelOperations } from './model.ts';
import type { Operations } from './operation.ts';
import { patternOperations } from './pattern.ts';
import { queueOperations } from './queue-operations.ts';
import { runOperations } from './run-operations.ts';
import { sessionOperations } from './session.ts';
import { signInOperations } from './sign-in.ts';
import { strategyOperations } from './strategy.ts';
import { timerOperations } from './timer.ts';
import { transferOperations } from './transfer.ts';

/** Operations of each service. A service owns everything that its line names. */
export const serviceOperations = {
  identity: { ...identityOperations, ...loginOperations, ...commandLineLoginOperations },
  pattern: {
    ...patternOperations,
    ...historyOperations,
    ...strategyOperations,
    ...contextOperations,
    ...sessionOperations,
    ...transferOperations,
    ...modelOperations,
    ...budgetOperations,
    ...egressOperations,
    ...runOperations,
    ...queueOperations,
    ...batchOperations,
    ...timerOperations,
  },
  gateway: {
    ...gatewayOperations,
    ...signInOperations,
    ...providerSignInOperations,
    ...commandLineSignInOperations,
    ...invitationSignInOperations,
  },
} satisfies Record<string, Operations>;

export type ServiceName = keyof typeof serviceOperations;
