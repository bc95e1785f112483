import type { Clock } from '#platform/clock.ts';

/** What every call to one provider shares. */
export interface ExchangeOptions {
  /** For messages: `openai`, `ollama`. */
  readonly provider: string;
  readonly firstByteMs: number;
  readonly idleMs: number;
  /** Takes secrets out of what a provider said. */
  readonly redact: (text: string) => string;
  /** It is taken out of answers, too. */
  readonly apiKey?: string | null;
  readonly clock: Clock;
}
