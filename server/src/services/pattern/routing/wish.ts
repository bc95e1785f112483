import type { WeightedModel } from '@damask/contracts/pattern-settings.ts';

/** What a run asks for: one of the models by weight, then the fallbacks in their order. */
export interface ModelWish {
  readonly models: readonly WeightedModel[];
  readonly fallbacks: readonly string[];
  /** The models were put in order before, and are tried in it. */
  readonly inOrder?: true;
  /** A call that may have been executed and charged may go out again. */
  readonly repeatUncertain?: boolean;
}

interface Version {
  readonly model: string | null;
  readonly models: readonly WeightedModel[];
  readonly fallbacks: readonly string[];
  readonly on_uncertain: 'retry' | 'fail' | 'review';
}

/** The request's model stands alone: whoever names one wants that one. Null: the default model. */
export function toWish(asked: string | undefined, version: Version): ModelWish | null {
  const repeatUncertain = version.on_uncertain === 'retry';
  if (asked !== undefined) return { models: [{ name: asked, weight: 1 }], fallbacks: [], repeatUncertain };
  const { model, models, fallbacks } = version;
  if (models.length > 0) return { models, fallbacks, repeatUncertain };
  if (model !== null) return { models: [{ name: model, weight: 1 }], fallbacks, repeatUncertain };
  return fallbacks.length > 0 || repeatUncertain ? { models: [], fallbacks, repeatUncertain } : null;
}

/** The names in the order in which they are tried. `chance` is from 0 to below 1. */
export function orderModels(models: readonly WeightedModel[], chance: () => number): string[] {
  if (models.length === 1) return [(models[0] as WeightedModel).name];
  const left = [...models];
  const order: string[] = [];
  while (left.length > 0) {
    let point = chance() * left.reduce((sum, { weight }) => sum + weight, 0);
    let at = left.findIndex(({ weight }) => {
      point -= weight;
      return point < 0;
    });
    if (at < 0) at = left.length - 1;
    order.push((left.splice(at, 1)[0] as WeightedModel).name);
  }
  return order;
}
