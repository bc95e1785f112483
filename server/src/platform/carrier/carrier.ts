import type { Clock } from '../clock.ts';

/**
 * Carries word from process to process that there is something new: waiting work, or an outbox with news. What it is stays in
 * the database, so a word that is lost costs whoever waits for it one look of their own, and one that comes twice nothing.
 */
export interface Carrier {
  /** Says it at once or with what is said in the next moment. Never waits and never fails. */
  announce(topic: string): void;
  /**
   * Calls `wake` when a topic was announced, in at least one process of each group. Words of the time in which nothing could
   * be heard are made up for by one.
   */
  subscribe(topic: string, group: string, wake: () => void): void;
  /** Why words do not get through, or null. */
  fault(): string | null;
  close(): Promise<void>;
}

/** A topic's name: `work`, or `outbox.` and a service. */
export const isTopic = (text: unknown): text is string =>
  typeof text === 'string' && /^[a-z][a-z0-9_.-]{0,99}$/.test(text);

/** Milliseconds in which more of the same is said together. */
const quiet = 50;
const againAfter = 1_000;

/** Sends a topic once for all that is said of it in a moment, and again until it was sent. */
export function createAnnouncer(options: {
  readonly send: (topic: string) => Promise<void>;
  readonly onFault: (error: unknown) => void;
  readonly clock: Clock;
}): { announce(topic: string): void; settled(): Promise<void>; stop(): void } {
  const { send, onFault, clock } = options;
  /** Topics that were sent a moment ago or are being sent; true: something was said since. */
  const recent = new Map<string, boolean>();
  const sending = new Set<Promise<void>>();
  let stopped = false;

  function start(topic: string) {
    recent.set(topic, false);
    const sent: Promise<void> = send(topic).then(
      () => later(topic, quiet),
      (error: unknown) => {
        onFault(error);
        if (recent.has(topic)) recent.set(topic, true);
        later(topic, againAfter);
      },
    );
    sending.add(sent);
    void sent.then(() => sending.delete(sent));
  }

  function later(topic: string, milliseconds: number) {
    if (stopped) return;
    clock.after(milliseconds, () => {
      const again = recent.get(topic) === true;
      recent.delete(topic);
      if (again && !stopped) start(topic);
    });
  }

  return {
    announce(topic) {
      if (stopped) return;
      if (recent.has(topic)) recent.set(topic, true);
      else start(topic);
    },
    async settled() {
      await Promise.all(sending);
    },
    stop() {
      stopped = true;
    },
  };
}
