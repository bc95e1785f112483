import { Breaker, type BreakerState } from './breaker.ts';

/** The breaker of one model, and the call that tries it while it is not closed. */
export interface ModelBreaker {
  readonly breaker: Breaker;
  probe: object | undefined;
}

/** What is told of a model that is not closed. */
export interface ModelState {
  readonly model: string;
  readonly state: BreakerState;
  readonly closedForMs: number;
}

/** Anyone may name any model, so that what is remembered must end somewhere. */
const mostModels = 200;

/** The breakers of a provider's models: one that fails is left alone while the others go on. */
export class ModelBreakers {
  readonly #models = new Map<string, ModelBreaker>();

  of(model: string): ModelBreaker {
    const known = this.#models.get(model);
    if (known) return known;
    if (this.#models.size >= mostModels) this.#forget();
    const made = { breaker: new Breaker(), probe: undefined };
    this.#models.set(model, made);
    return made;
  }

  close() {
    for (const { breaker } of this.#models.values()) breaker.close();
  }

  /** Milliseconds until the model may be called. */
  waitFor(model: string, now: number): number {
    return this.#models.get(model)?.breaker.waitFor(now) ?? 0;
  }

  /** Models that are not closed, the one that is shut for longest first. */
  notClosed(now: number): ModelState[] {
    const states = [...this.#models].map(([model, { breaker }]) => ({
      model,
      state: breaker.state(now),
      closedForMs: breaker.waitFor(now),
    }));
    return states.filter(({ state }) => state !== 'closed').sort((a, b) => b.closedForMs - a.closedForMs);
  }

  #forget() {
    for (const [model, { breaker, probe }] of this.#models) {
      if (breaker.closed && probe === undefined) this.#models.delete(model);
      if (this.#models.size < mostModels) return;
    }
  }
}
