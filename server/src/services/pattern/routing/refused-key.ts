import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { ProviderFailure } from '../model/provider-failure.ts';

/** One refusal may be a hiccup of the provider; from the third in a row on calls are held back. */
const trusted = 3;
const heldMs = 30_000;

/** Whether a provider takes its key. While it does not, one call in 30 s tries it again. Times are of `monotonic`. */
export class RefusedKey {
  readonly #options: { name: string; workspace: string; clock: Clock; log: Log };
  #refusals = 0;
  #until = 0;

  constructor(options: { name: string; workspace: string; clock: Clock; log: Log }) {
    this.#options = options;
  }

  get isRefused(): boolean {
    return this.#refusals > 0;
  }

  waitFor(now: number): number {
    return this.#refusals >= trusted ? Math.max(0, this.#until - now) : 0;
  }

  accepted() {
    this.#refusals = 0;
  }

  refused(now: number) {
    this.#refusals += 1;
    this.#until = now + heldMs;
    if (this.#refusals > 1) return;
    const { log, name, workspace } = this.#options;
    log.error('A provider refuses its key', { provider: name, workspace });
  }

  /** A call goes out; the others wait for what becomes of it. */
  tryAgain(now: number) {
    if (this.#refusals >= trusted) this.#until = now + heldMs;
  }

  failure(wait: number): ProviderFailure {
    const { name } = this.#options;
    return {
      code: 'provider_auth',
      detail: `${name} refuses its key, so no call goes out; the next one in ${Math.ceil(wait / 1_000)} s tries it again. Enter a valid key with \`damask providers add ${name}\`, or restart with one.`,
    };
  }
}
