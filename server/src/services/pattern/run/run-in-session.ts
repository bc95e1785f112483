import type { Run } from '@damask/contracts/run.ts';
import type { CallContext } from '#platform/call.ts';
import type { TextThreads } from '#platform/redact/text-threads.ts';
import { keepAttachments, toMessages } from '../conversation/attach.ts';
import { claimSession } from '../conversation/claim-session.ts';
import type { ConversationParts } from '../conversation/conversation-parts.ts';
import { readTurns } from '../conversation/read-sessions.ts';
import { redactTexts, withoutFile } from '../guard/redact-run.ts';
import type { Execution } from './engine.ts';
import type { RunPlan } from './plan-run.ts';

/**
 * Executes a run as the next turn of a session: what was said so far goes between the system message and the user's.
 * What it says is appended when it succeeds; while it asks for tools, the turn is not over and nothing is. Errors beside
 * the run's own: `session_busy`, `session_too_long`.
 */
export async function runInSession(
  parts: ConversationParts & { readonly threads: TextThreads },
  { workspace }: CallContext,
  name: string,
  execution: Execution,
  execute: (execution: Execution) => Promise<Run>,
): Promise<Run> {
  const { plan, timeoutMs } = execution;
  const claim = await claimSession(parts, { workspace, name, timeoutMs });
  let appended = false;
  try {
    const { redact } = plan;
    const files = keepAttachments(plan.attachments).filter(({ type }) => type !== 'text');
    const kept = redact ? files.map(withoutFile) : files;
    return await execute({
      ...execution,
      plan: withTurns(plan, toMessages(claim.turns)),
      conversation: {
        async append(run, output) {
          const said = [plan.said, output];
          // What is stored of it is also what the next runs of the session are given.
          const [asked = '', answered = ''] = redact ? await redactTexts(parts.threads, redact, said) : said;
          const turns = [
            { role: 'user', content: asked, attachments: kept },
            { role: 'assistant', content: answered, attachments: [] },
          ] as const;
          await claim.append(run, turns).catch((error: unknown) => {
            parts.log.error('What a run said could not be written into its session', { run, error });
            throw error;
          });
          appended = true;
        },
        async end(row) {
          if (row.error_code === 'unrecorded') return;
          await claim.end(appended && row.status === 'succeeded' ? 'append' : 'drop');
        },
      },
    });
  } catch (error) {
    // A run that never began gives the session back; of one that has ended it was given back before.
    if (!isUnrecorded(error)) await claim.end('drop');
    throw error;
  }
}

/** What a run would send of a session. A session that does not exist yet has said nothing. */
export async function previewTurns(
  parts: ConversationParts,
  { workspace }: CallContext,
  name: string,
): Promise<RunPlan['messages']> {
  return toMessages(await readTurns(parts, workspace, name));
}

/** The system message of this run stands once, first; what was said before follows it. */
export function withTurns(plan: RunPlan, said: RunPlan['messages']): RunPlan {
  const { messages } = plan;
  const from = messages.length - 1;
  return { ...plan, messages: [...messages.slice(0, from), ...said, ...messages.slice(from)] };
}

const isUnrecorded = (error: unknown) => (error as { code?: unknown }).code === 'unrecorded';
