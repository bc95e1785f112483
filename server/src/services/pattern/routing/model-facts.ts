import type { Capability, ModelOffer } from '@damask/contracts/model.ts';
import type { DatedPrice } from './price.ts';

/** What is known of a model. */
export interface ModelFacts {
  readonly context_window: number | null;
  readonly max_output: number | null;
  readonly capabilities: readonly Capability[] | null;
  /** By `from`; empty: not known. */
  readonly prices: readonly DatedPrice[];
  readonly source: 'workspace' | 'operator' | 'catalogue' | null;
  /** Day on which the vendor's page was read. */
  readonly asOf: string | null;
}

export const unknownModel: ModelFacts = {
  context_window: null,
  max_output: null,
  capabilities: null,
  prices: [],
  source: null,
  asOf: null,
};

/** What a workspace or the operator says of a model wins over the catalogue, field by field; prices only together. */
export function factsOf(
  offer: ModelOffer | undefined,
  known: ModelFacts | undefined,
  source: 'workspace' | 'operator',
): ModelFacts {
  if (offer === undefined) return known ?? unknownModel;
  const { input_price: input, output_price: output } = offer;
  const own = input !== undefined && output !== undefined;
  const rest = known ?? unknownModel;
  return {
    context_window: offer.context_window ?? rest.context_window,
    max_output: offer.max_output ?? rest.max_output,
    capabilities: rest.capabilities,
    prices: own
      ? [
          {
            from: 0,
            input,
            output,
            cached_input: offer.cached_input_price ?? input,
            cache_write: offer.cache_write_price ?? input,
          },
        ]
      : rest.prices,
    source: own ? source : rest.source,
    asOf: own ? null : rest.asOf,
  };
}
