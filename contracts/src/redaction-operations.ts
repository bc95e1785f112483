import { strict } from './field.ts';
import { Redaction } from './guard.ts';
import { type Operations, operation } from './operation.ts';

const { kinds, expressions, model } = Redaction.properties;

export const redactionOperations = {
  readRedaction: operation({
    method: 'GET',
    path: '/v1/redaction',
    permission: 'workspace:read',
    summary: 'What is taken out of the texts of all runs of the workspace before they are stored; nothing by default',
    input: strict({}),
    output: Redaction,
    status: 200,
    errors: [],
  }),
  putRedaction: operation({
    method: 'PUT',
    path: '/v1/redaction',
    permission: 'redaction:write',
    summary: 'Have things taken out of the texts of all runs, beside what their patterns say; nothing lifts it',
    input: strict({ kinds, expressions, model }),
    output: Redaction,
    status: 200,
    errors: ['policy_refused'],
  }),
} satisfies Operations;
