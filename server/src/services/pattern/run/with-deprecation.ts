import type { Deprecation } from '@damask/contracts/pattern-settings.ts';
import type { CallContext } from '#platform/call.ts';

/** A caller whose stream is told with its first event that the pattern should not be used any more. */
export function withDeprecation(context: CallContext, deprecated: Deprecation | null): CallContext {
  const { sink } = context;
  if (!sink || !deprecated) return context;
  return {
    ...context,
    sink: {
      emit: (name, id, data) =>
        sink.emit(name, id, name === 'run.accepted' ? { ...(data as object), deprecated } : data),
      drained: () => sink.drained(),
    },
  };
}
