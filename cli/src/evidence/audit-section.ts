import { readAnchors, readKeys, type SignedLine } from '../audit/anchors.ts';
import { createChainVerifier } from '../audit/verify-chain.ts';
import { createLineSplitter } from './line-splitter.ts';
import { asJson, type Section, type Sources } from './section.ts';

/** More kinds of actions than there are operations would be somebody's own. */
const mostActions = 2_000;

/** The audit log of the period, what was signed of it, and whether it is whole. */
export const auditSection: Section = {
  what: 'the audit log',
  path: 'audit/',
  async collect(sources) {
    const { damask, me, spool, since, until, now } = sources;
    // Before the entries: a checkpoint that comes meanwhile would be ahead of them.
    const { lines, keys } = await collectCheckpoints(sources);
    const { anchors, problems } = readAnchors(lines, readKeys(keys));
    const verifier = createChainVerifier({
      workspace: me.workspace.id,
      anchors,
      anchorProblems: problems,
      partial: true,
      // These are the server's own; the folder outside is held against it by `damask audit verify`.
      anchored: false,
      until: Date.parse(until) < Date.parse(now) ? until : now,
    });
    const actions = new Map<string, number>();
    let entries = 0;
    const splitter = createLineSplitter((line) => {
      verifier.add(line);
      entries += 1;
      countAction(actions, line);
    });
    const file = await spool.open('audit/entries.jsonl', 'GET /v1/audit/export');
    for await (const piece of damask.audit.exportBytes({ since, until })) {
      splitter.add(piece);
      await file.write(piece);
    }
    splitter.end();
    await file.end(entries);
    const changed = (await damask.audit.state()).items;
    const verdict = { checked_at: now, ...verifier.end(), changed_by_hand: changed };
    await spool.text('audit/verify.json', 'damask audit verify --state, GET /v1/audit/state', asJson(verdict));
    const counted = [...actions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, count]) => toCount(key, count));
    await spool.list('audit/actions', 'counted in audit/entries.jsonl', ['action', 'outcome', 'count'], counted);
  },
};

async function collectCheckpoints({ damask, spool, since, until }: Sources) {
  const lines: SignedLine[] = [];
  let keys = '[]';
  const file = await spool.open('audit/checkpoints.jsonl', 'GET /v1/audit/checkpoints');
  let before = false;
  for (let cursor: string | undefined; !before; ) {
    const page = await damask.audit.checkpoints({ limit: 200, cursor });
    keys = JSON.stringify(page.keys, null, 2);
    for (const { body, key, signature, at } of page.items) {
      if (before || Date.parse(at) >= Date.parse(until)) continue;
      // One from before the period belongs to it: the first one within names it.
      before = Date.parse(at) < Date.parse(since);
      const line = { body, key, signature };
      lines.push(line);
      await file.write(`${JSON.stringify(line)}\n`);
    }
    cursor = page.next;
    if (cursor === undefined) break;
  }
  await file.end(lines.length);
  await spool.text('audit/keys.json', 'GET /v1/audit/checkpoints', `${keys}\n`);
  return { lines, keys };
}

function countAction(actions: Map<string, number>, line: string): void {
  try {
    const { action, outcome } = JSON.parse(line) as { action: string; outcome: string };
    const key = `${action} ${outcome}`;
    if (actions.has(key) || actions.size < mostActions) actions.set(key, (actions.get(key) ?? 0) + 1);
  } catch {
    // The verifier has said so.
  }
}

function toCount(key: string, count: number) {
  const [action = '', outcome = ''] = key.split(' ');
  return { action, outcome, count };
}
