/** A text that several versions, of several workspaces, hold together. */
export interface SharedText {
  readonly text: string;
}

export interface SharedTexts {
  find(hash: string): SharedText | undefined;
  /** The held text of this hash; `text` when there was none. */
  hold(hash: string, text: string): SharedText;
}

/** Holds each text once, for as long as somebody uses it. */
export function createSharedTexts(): SharedTexts {
  const held = new Map<string, WeakRef<SharedText>>();
  const find = (hash: string) => held.get(hash)?.deref();
  const collected = new FinalizationRegistry<string>((hash) => {
    if (!find(hash)) held.delete(hash);
  });
  return {
    find,
    hold(hash, text) {
      const existing = find(hash);
      if (existing) return existing;
      const shared: SharedText = { text };
      held.set(hash, new WeakRef(shared));
      collected.register(shared, hash);
      return shared;
    },
  };
}
