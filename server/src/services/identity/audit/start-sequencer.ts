import type { Timer } from '#platform/clock.ts';
import { type SealParts, sealEntries } from './seal-entries.ts';
import { type SignParts, signCheckpoints } from './sign-checkpoints.ts';

const lookEvery = 1_000;

export interface Sequencer {
  /** Seals all that is committed and signs what is due, now. */
  pass(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Seals and signs, from now on. It runs in each process of this service; of all of them one at a time does the work.
 * What fails is tried again with the next pass: rows wait in their tables until they are sealed.
 */
export function startSequencer(options: SealParts & { readonly signing: SignParts | undefined }): Sequencer {
  const { clock, log, signing } = options;
  let stopped = false;
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();
  const failing = new Set<string>();

  const attempt = async (what: string, work: () => Promise<number | null>): Promise<number> => {
    try {
      const done = (await work()) ?? 0;
      failing.delete(what);
      return done;
    } catch (error) {
      // Once, not each second for as long as it lasts.
      if (!failing.has(what)) log.error('The audit log cannot be kept up to date; it is tried again', { what, error });
      failing.add(what);
      return 0;
    }
  };
  const pass = async () => {
    for (let more = true; more && !stopped; ) {
      more = (await attempt('seal', () => sealEntries(options))) > 0;
      if (signing) await attempt('sign', () => signCheckpoints(signing));
    }
  };
  /** One pass after the other: whoever asks for one gets all that was committed before. */
  const inTurn = () => {
    running = running.then(pass);
    return running;
  };
  const next = () => {
    void inTurn().finally(() => {
      if (!stopped) timer = clock.after(lookEvery, next);
    });
  };
  timer = clock.after(0, next);
  return {
    pass: inTurn,
    async stop() {
      stopped = true;
      timer?.cancel();
      await running;
    },
  };
}
