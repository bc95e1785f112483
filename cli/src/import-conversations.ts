import type { Damask, ImportOutcome } from '@damask/sdk';
import { DamaskError } from '@damask/sdk';
import { collectItems } from './collect-items.ts';
import type { FabricHome } from './read-fabric-home.ts';

export interface Decided {
  readonly name: string;
  readonly outcome: ImportOutcome;
}

export interface ConversationPlan {
  readonly contexts: readonly Decided[];
  readonly sessions: readonly Decided[];
  /** Writes what is to be written. */
  write(): Promise<void>;
}

type OnConflict = 'fail' | 'keep' | 'replace';

/** Compares the contexts and sessions of a Fabric folder with what the server has. */
export async function planConversations(
  damask: Damask,
  { contexts, sessions }: Pick<FabricHome, 'contexts' | 'sessions'>,
  onConflict: OnConflict,
): Promise<ConversationPlan> {
  const decidedContexts: Decided[] = [];
  for (const { name, content } of contexts) {
    const stored = await orNothing(damask.contexts.read({ context: name }));
    decidedContexts.push({ name, outcome: decide(stored?.content, content, onConflict) });
  }
  const decidedSessions: Decided[] = [];
  for (const { name, turns } of sessions) {
    const stored = await orNothing(collectItems(damask.sessions.listAllTurns({ session: name })));
    const before = stored && spell(stored);
    decidedSessions.push({ name, outcome: decide(before, spell(turns), onConflict) });
  }
  const due = (decided: readonly Decided[], name: string) =>
    decided.some((each) => each.name === name && (each.outcome === 'new' || each.outcome === 'replaced'));
  return {
    contexts: decidedContexts,
    sessions: decidedSessions,
    async write() {
      for (const { name, content } of contexts) {
        if (due(decidedContexts, name)) await damask.contexts.put({ context: name, content });
      }
      for (const { name, turns } of sessions) {
        if (due(decidedSessions, name)) await damask.sessions.put({ session: name, turns: [...turns] });
      }
    },
  };
}

function decide(before: string | undefined, after: string, onConflict: OnConflict): ImportOutcome {
  if (before === undefined) return 'new';
  if (before === after) return 'same';
  return onConflict === 'fail' ? 'conflict' : onConflict === 'keep' ? 'kept' : 'replaced';
}

function spell(turns: readonly { readonly role: string; readonly content: string }[]): string {
  return JSON.stringify(turns.map(({ role, content }) => [role, content]));
}

function orNothing<Value>(answer: Promise<Value>): Promise<Value | undefined> {
  return answer.catch((error: unknown) => {
    if (error instanceof DamaskError && error.code === 'not_found') return undefined;
    throw error;
  });
}
