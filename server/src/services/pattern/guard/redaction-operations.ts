import { detectorKinds, type Redaction } from '@damask/contracts/guard.ts';
import type { redactionOperations } from '@damask/contracts/redaction-operations.ts';
import { AppError } from '#platform/app-error.ts';
import type { Implementation } from '#platform/call.ts';
import { finderOf } from '#platform/redact/redactor.ts';
import { changeLibrary, inWorkspace, type LibraryParts, leaveTrace } from '../library/library-parts.ts';
import { readRedaction, saveRedaction } from './redaction-store.ts';

const nothing: Redaction = { kinds: [], expressions: [], model: false };

/** What a workspace has taken out of the texts of its runs. Inputs are checked and permissions asked for before they come here. */
export function createRedactionOperations(parts: LibraryParts): Implementation<typeof redactionOperations> {
  return {
    async readRedaction(context) {
      return (await inWorkspace(parts, context, readRedaction)) ?? nothing;
    },

    /** Can be repeated. Errors: `policy_refused` for an expression that cannot be used. */
    async putRedaction(context, { kinds, expressions, model }) {
      const rules: Redaction = { kinds: [...new Set(kinds)], expressions, model };
      refuseExpressions(rules);
      return changeLibrary(parts, context, async (transaction) => {
        await parts.trail.look(transaction, 'redaction');
        if (await saveRedaction(transaction, context.workspace, rules)) {
          await leaveTrace(parts, transaction, context, {
            action: 'putRedaction',
            subject: 'redaction',
            details: { kinds: rules.kinds, expressions: expressions.map(({ name }) => name), model },
            event: 'pattern.redaction-put',
            data: { kinds: rules.kinds, expressions: expressions.map(({ name }) => name), model },
          });
        }
        return rules;
      });
    },
  };
}

function refuseExpressions({ expressions }: Redaction): void {
  const names = new Set<string>(detectorKinds);
  for (const [index, { name, expression }] of expressions.entries()) {
    if (names.has(name)) {
      throw new AppError('policy_refused', `${name} is taken. Give each expression a name of its own.`, {
        pointer: `/expressions/${index}/name`,
      });
    }
    names.add(name);
    try {
      finderOf(expression);
    } catch (error) {
      throw new AppError(
        'policy_refused',
        `This expression cannot be used: ${(error as Error).message}. Write it without look-around and back references.`,
        { pointer: `/expressions/${index}/expression` },
      );
    }
  }
}
