import { auditOperations, patternAuditOperations } from './audit.ts';
import { batchOperations } from './batch-operations.ts';
import { budgetOperations } from './budget-operations.ts';
import { commandLineLoginOperations, commandLineSignInOperations } from './command-line-login.ts';
import { contextOperations } from './context.ts';
import { egressOperations } from './egress.ts';
import { encryptionOperations } from './encryption.ts';
import { evidenceOperations } from './evidence.ts';
import { gatewayOperations } from './gateway.ts';
import { historyOperations } from './history.ts';
import { identityOperations } from './identity.ts';
import { providerSignInOperations } from './identity-provider.ts';
import { invitationSignInOperations } from './invitation.ts';
import { loginOperations } from './login.ts';
import { modelOperations } from './model.ts';
import type { Operations } from './operation.ts';
import { patternOperations } from './pattern.ts';
import { privacyOperations } from './privacy.ts';
import { queueOperations } from './queue-operations.ts';
import { redactionOperations } from './redaction-operations.ts';
import { runOperations } from './run-operations.ts';
import { sessionOperations } from './session.ts';
import { signInOperations } from './sign-in.ts';
import { strategyOperations } from './strategy.ts';
import { timerOperations } from './timer.ts';
import { transferOperations } from './transfer.ts';

/** Operations of each service. A service owns everything that its line names. */
export const serviceOperations = {
  identity: {
    ...identityOperations,
    ...encryptionOperations,
    ...loginOperations,
    ...commandLineLoginOperations,
    ...auditOperations,
    ...evidenceOperations,
  },
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
    ...redactionOperations,
    ...batchOperations,
    ...timerOperations,
    ...privacyOperations,
    ...patternAuditOperations,
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
