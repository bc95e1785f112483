import type { gatewayOperations } from '@damask/contracts/gateway.ts';
import { patternYamlSchema } from '@damask/contracts/pattern-yaml-schema.ts';
import { AppError } from '#platform/app-error.ts';
import type { Implementation } from '#platform/call.ts';

const patternSchema = patternYamlSchema();

/** One part that must work before requests can be taken. Throws, or answers why it does not. */
export interface ReadyCheck {
  readonly part: string;
  check(): Promise<string | null> | string | null;
}

export function createGatewayOperations(options: {
  checks: readonly ReadyCheck[];
  openApi: () => Record<string, unknown>;
  referencePage: () => string;
  homePage: () => string;
}): Implementation<typeof gatewayOperations> {
  return {
    readLive: async () => ({ status: 'live' }),
    async readReady() {
      let cause: unknown;
      const results = await Promise.all(
        options.checks.map(async ({ part, check }) => {
          const reason = await Promise.resolve()
            .then(check)
            .catch((error: unknown) => {
              cause = error;
              return whyNot(error);
            });
          return reason === null ? [] : [{ pointer: `/${part}`, detail: reason }];
        }),
      );
      const problems = results.flat();
      if (problems.length === 0) return { status: 'ready' };
      const names = problems.map((problem) => problem.pointer.slice(1)).join(', ');
      throw new AppError('unavailable', `Not ready: ${names}.`, { problems, retryAfterSeconds: 1 }, { cause });
    },
    readOpenApi: async () => options.openApi(),
    readPatternSchema: async () => patternSchema,
    readReference: async () => options.referencePage(),
    readHome: async () => options.homePage(),
  };
}

// Anybody may ask: only what was written for callers is told, not what a driver says of users and hosts.
function whyNot(error: unknown): string {
  return error instanceof AppError ? error.message : 'It does not work; the log tells more.';
}
