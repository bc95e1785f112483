import { AppError } from '#platform/app-error.ts';
import type { Transaction } from '#platform/database/database.ts';
import { composeVersions, mustCompose } from '../library/compose-versions.ts';
import { quoteText } from '../library/quote-text.ts';
import type { DecidedImport } from './decide-import.ts';

const problemsShown = 100;

/**
 * Looks up what the patterns of an import include and what the steps of its chains run: each other where both are published, else what is in the library.
 * Throws `invalid_tree` with every include and step that leads nowhere or back.
 */
export async function composeImport(transaction: Transaction, decided: DecidedImport): Promise<DecidedImport> {
  const drafts = decided.patterns.flatMap(({ name, publish, version, content }) =>
    publish && version !== null ? [{ name, version, content }] : [],
  );
  if (!drafts.some(({ content }) => mustCompose(content))) return decided;
  const { contents, problems } = await composeVersions(transaction, drafts);
  const [first] = problems;
  if (first) {
    const found = problems
      .slice(0, problemsShown)
      .map(({ pattern, detail }) => ({ pointer: '/files', detail: `the folder ${quoteText(pattern)}: ${detail}` }));
    const more = problems.length > 1 ? ` ${problems.length - 1} more; problems lists ${found.length}.` : '';
    throw new AppError('invalid_tree', `Nothing was imported. ${found[0]?.detail}.${more}`, {
      pointer: '/files',
      problems: found,
    });
  }
  return {
    ...decided,
    patterns: decided.patterns.map((pattern) => ({
      ...pattern,
      content: (pattern.publish && contents.get(pattern.name)) || pattern.content,
    })),
  };
}
