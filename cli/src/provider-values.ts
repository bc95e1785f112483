import type { ModelOffer, ProviderLimits } from '@damask/sdk';
import { UsageError } from './usage-error.ts';

/** Reads `--model big=0.5/1.5/0.05`: prices are dollars for a million tokens of input, output and cached input. */
export function parseOffers(texts: readonly string[] | undefined): ModelOffer[] | undefined {
  if (!texts?.length) return undefined;
  return texts.map((text) => {
    const [, id, prices] = /^([^=]+)(?:=(.*))?$/s.exec(text) ?? [];
    if (id === undefined) throw new UsageError(`--model takes a name such as big or big=0.5/1.5, not '${text}'.`);
    if (prices === undefined) return { id };
    const [input, output, cached, ...rest] = prices.split('/').map((one) => toMicros(one, text));
    if (input === undefined || output === undefined || rest.length > 0) throw wrongPrices(text);
    return {
      id,
      input_price: input,
      output_price: output,
      ...(cached === undefined ? {} : { cached_input_price: cached }),
    };
  });
}

function toMicros(dollars: string, text: string): number {
  if (!/^\d+(\.\d+)?$/.test(dollars)) throw wrongPrices(text);
  return Math.round(Number(dollars) * 1_000_000);
}

function wrongPrices(text: string): UsageError {
  return new UsageError(`The prices of --model are in/out or in/out/cached, such as big=0.5/1.5/0.05, not '${text}'.`);
}

const limits: Readonly<Record<string, keyof ProviderLimits>> = {
  concurrency: 'concurrency',
  rpm: 'requests_per_minute',
  tpm: 'tokens_per_minute',
};

/** Reads `--limit rpm=60`; 0 takes a limit away. */
export function parseLimits(texts: readonly string[] | undefined): Partial<ProviderLimits> | undefined {
  if (!texts?.length) return undefined;
  return Object.fromEntries(
    texts.map((text) => {
      const [, what = '', count] = /^(\w+)=(\d+)$/.exec(text) ?? [];
      const field = Object.hasOwn(limits, what) ? limits[what] : undefined;
      if (!field) throw new UsageError(`--limit takes concurrency=, rpm= or tpm= and a whole number, not '${text}'.`);
      return [field, Number(count) || null];
    }),
  );
}
