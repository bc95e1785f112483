/** Ends a transaction without its work. */
class TriedOut extends Error {}

/**
 * Makes a change, or only tries it: where `dry` is true, all of it is checked and done, and then undone. Answers what the change
 * answers either way. `change` hands its result to `settle` last.
 */
export async function tryOut<Result>(
  dry: boolean | undefined,
  change: (settle: (result: Result) => Result) => Promise<Result>,
): Promise<Result> {
  let tried: { readonly result: Result } | undefined;
  try {
    return await change((result) => {
      if (!dry) return result;
      tried = { result };
      throw new TriedOut();
    });
  } catch (error) {
    if (tried && error instanceof TriedOut) return tried.result;
    throw error;
  }
}
