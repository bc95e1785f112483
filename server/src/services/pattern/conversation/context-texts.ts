import { AppError } from '#platform/app-error.ts';
import type { ConversationParts } from './conversation-parts.ts';
import { readContext } from './read-context.ts';

/** Texts of contexts for runs. Those that were asked for last are held in memory. */
export interface ContextTexts {
  /** Undefined when there is none of this name. */
  read(workspace: string, name: string): Promise<string | undefined>;
  /** Forgets what it holds. Follows the topic `pattern.context`. */
  load(): Promise<void>;
}

/** Texts and their characters, all workspaces together. */
const most = { texts: 1_000, characters: 32 * 1024 * 1024 };

export function createContextTexts(parts: Pick<ConversationParts, 'database' | 'vault'>): ContextTexts {
  // A Map keeps the order of insertion, so the first key is the one that was used longest ago.
  let held = new Map<string, string>();
  let reading = new Map<string, Promise<string | undefined>>();
  let characters = 0;

  const keep = (key: string, text: string) => {
    held.set(key, text);
    characters += text.length;
    for (const [oldest, { length }] of held) {
      if (held.size <= most.texts && characters <= most.characters) return;
      held.delete(oldest);
      characters -= length;
    }
  };

  const readText = async (workspace: string, name: string) => {
    try {
      return (await readContext(parts, { workspace }, { context: name })).content;
    } catch (error) {
      if (error instanceof AppError && error.code === 'not_found') return undefined;
      throw error;
    }
  };

  return {
    async read(workspace, name) {
      const key = `${workspace} ${name}`;
      const known = held.get(key);
      if (known !== undefined) {
        held.delete(key);
        held.set(key, known);
        return known;
      }
      const underWay = reading.get(key);
      if (underWay) return underWay;
      const asked = reading;
      const text = readText(workspace, name).finally(() => asked.delete(key));
      asked.set(key, text);
      const found = await text;
      // What was forgotten in the meantime may be an older text than the one that is there now.
      if (found !== undefined && asked === reading) keep(key, found);
      return found;
    },
    async load() {
      held = new Map();
      reading = new Map();
      characters = 0;
    },
  };
}
