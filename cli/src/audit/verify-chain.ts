import { createHash } from 'node:crypto';
import type { Anchor, AnchorProblem } from './anchors.ts';
import { canonicalText } from './canonical-text.ts';

export interface Problem {
  readonly code:
    | AnchorProblem['code']
    | 'hash_mismatch'
    | 'gap'
    | 'out_of_order'
    | 'truncated'
    | 'checkpoint_mismatch'
    | 'checkpoint_missing'
    | 'workspace_mismatch'
    | 'unanchored_tail';
  /** Place in the chain; null where it has none. */
  readonly seq: number | null;
  readonly detail: string;
}

export interface Verdict {
  readonly workspace: string | null;
  readonly first: number | null;
  readonly last: number | null;
  readonly entries: number;
  /** Checkpoints that hold. */
  readonly anchored: number;
  /** The last entry that one of them covers. */
  readonly anchored_until: number;
  readonly problems: readonly Problem[];
  /** Problems beyond those that are listed. */
  readonly more: number;
}

export interface ChainOptions {
  /** Of which the chain has to be; otherwise that of its first entry. */
  readonly workspace?: string | undefined;
  readonly anchors: readonly Anchor[];
  readonly anchorProblems: readonly AnchorProblem[];
  /** The export begins in the middle of the chain, on purpose. */
  readonly partial: boolean;
  /** What was signed after this time is not held against it. */
  readonly until?: string | undefined;
  /** Checkpoints were given, so there has to be one of this chain. */
  readonly anchored: boolean;
}

interface Entry {
  readonly workspace: string;
  readonly seq: number;
  readonly at: string;
  readonly previous: string;
  readonly hash: string;
}

const mostListed = 1_000;
const chainStart = '0'.repeat(64);
/** A checkpoint comes after 60 s or 1,000 entries; what waits longer, or is more by far, was kept from being signed. */
const longestWait = 180_000;
const mostWaiting = 10_000;

/** Takes the lines of an export one by one, oldest first, and tells what is wrong with them. */
export function createChainVerifier(options: ChainOptions) {
  const { anchors, until } = options;
  const problems: Problem[] = [];
  let more = 0;
  let workspace = options.workspace ?? null;
  let first: number | null = null;
  let last = 0;
  let lastHash: string | null = null;
  let lastAt = '';
  let lines = 0;
  let entries = 0;
  let anchored = 0;
  let anchoredUntil = 0;
  let openSince: string | null = null;
  let checkpoints: Map<number, Anchor[]> | undefined;

  const say = (code: Problem['code'], seq: number | null, detail: string) => {
    if (problems.length < mostListed) problems.push({ code, seq, detail });
    else more += 1;
  };
  const ours = (anchor: Anchor) => anchor.workspace === workspace && (until === undefined || anchor.at <= until);
  const bySeq = () => {
    if (!checkpoints) {
      checkpoints = new Map();
      for (const anchor of anchors.filter((one) => ours(one) && one.kind === 'checkpoint')) {
        checkpoints.set(anchor.seq, [...(checkpoints.get(anchor.seq) ?? []), anchor]);
      }
    }
    return checkpoints;
  };

  function checkPlace(entry: Entry): boolean {
    const { seq } = entry;
    if (first === null) {
      first = seq;
      if (seq !== 1 && !options.partial)
        say('gap', 1, `entries 1 to ${seq - 1} are missing: the chain begins at ${seq}`);
      return seq === 1 || options.partial;
    }
    if (seq <= last) {
      say('out_of_order', seq, `entry ${seq} comes after entry ${last}`);
      return false;
    }
    if (seq > last + 1) {
      const missing =
        seq === last + 2 ? `entry ${last + 1} is missing` : `entries ${last + 1} to ${seq - 1} are missing`;
      say('gap', last + 1, missing);
      lastHash = null;
    }
    return true;
  }

  function checkHash(entry: Entry, inPlace: boolean) {
    const { previous, hash, ...body } = entry;
    const { seq } = entry;
    const expected = seq === 1 ? chainStart : lastHash;
    const own = createHash('sha256').update(Buffer.from(previous, 'hex')).update(canonicalText(body)).digest('hex');
    if (own !== hash) say('hash_mismatch', seq, `entry ${seq} is not what was hashed`);
    else if (inPlace && expected !== null && previous !== expected) {
      say('hash_mismatch', seq, `entry ${seq} does not follow on entry ${seq - 1}`);
    }
  }

  function checkAnchors({ seq, hash, at }: Entry) {
    openSince ??= at;
    for (const anchor of bySeq().get(seq) ?? []) {
      if (anchor.hash !== hash) {
        say('checkpoint_mismatch', seq, `the checkpoint of ${anchor.at} has another hash for entry ${seq}`);
      } else {
        anchored += 1;
        anchoredUntil = seq;
        openSince = null;
      }
    }
  }

  return {
    add(line: string) {
      lines += 1;
      const entry = parseEntry(line);
      if (!entry) return say('unreadable', null, `line ${lines} is no entry of an export`);
      entries += 1;
      workspace ??= entry.workspace;
      if (entry.workspace !== workspace) {
        say('workspace_mismatch', entry.seq, `entry ${entry.seq} is of the workspace ${entry.workspace}`);
      }
      const inPlace = checkPlace(entry);
      checkHash(entry, inPlace);
      if (!inPlace && entry.seq <= last) return;
      checkAnchors(entry);
      last = entry.seq;
      lastHash = entry.hash;
      lastAt = entry.at;
    },

    end(): Verdict {
      const signed = anchors.filter(({ kind }) => kind === 'checkpoint');
      const told = new Set(signed.map((anchor) => anchor.workspace));
      if (workspace === null && told.size === 1) workspace = [...told][0] ?? null;
      for (const problem of options.anchorProblems) {
        if (problem.workspace === null || workspace === null || problem.workspace === workspace) {
          say(problem.code, problem.seq, problem.detail);
        }
      }
      const mine = anchors.filter(ours);
      checkTail(mine);
      checkLinks(signed.filter((anchor) => anchor.workspace === workspace));
      return {
        workspace,
        first,
        last: first === null ? null : last,
        entries,
        anchored,
        anchored_until: anchoredUntil,
        problems,
        more,
      };
    },
  };

  function checkTail(mine: readonly Anchor[]) {
    const newest = newestOf(mine.filter(({ kind }) => kind === 'checkpoint'));
    const counted = newestOf(mine);
    const end = first === null ? 'it is empty' : `it ends at ${last}`;
    if (newest && newest.seq > last) {
      say('truncated', last + 1, `the checkpoint of ${newest.at} is of entry ${newest.seq}, and ${end}`);
    } else if (counted && counted.seq > last) {
      say(
        'unanchored_tail',
        last + 1,
        `${counted.seq} entries were counted at ${counted.at}, and ${end}: what is newer than the last checkpoint was cut off`,
      );
    } else if (options.anchored && !anchors.some((anchor) => anchor.workspace === workspace)) {
      // Who can rewrite all of it may have emptied the folder, too.
      say(
        'unanchored_tail',
        first,
        'no checkpoint is of this workspace, which has one a minute after its beginning: all of it could have been rewritten',
      );
    } else if ((options.anchored || newest) && openSince !== null) {
      const waited = Date.parse(lastAt) - Date.parse(openSince);
      const open = Math.max(anchoredUntil + 1, first ?? 1);
      if (waited <= longestWait && last - open < mostWaiting) return;
      say('unanchored_tail', open, `no checkpoint covers entries ${open} to ${last}, which is more than 60 s of them`);
    }
  }

  /** Each checkpoint names the one before it; only what is before the oldest may be kept elsewhere. */
  function checkLinks(signed: readonly Anchor[]) {
    const known = new Set(signed.map(({ digest }) => digest));
    const ordered = [...signed].sort((a, b) => a.seq - b.seq || (a.at < b.at ? -1 : 1));
    for (const { previous, seq, at } of ordered.slice(1)) {
      if (previous !== null && known.has(previous)) continue;
      say('checkpoint_missing', seq, `the checkpoint before that of ${at} is not there`);
    }
  }
}

function newestOf(anchors: readonly Anchor[]): Anchor | undefined {
  return anchors.reduce<Anchor | undefined>((best, one) => (best && best.seq >= one.seq ? best : one), undefined);
}

function parseEntry(line: string): Entry | undefined {
  try {
    const entry = JSON.parse(line) as Entry;
    const hex = /^[0-9a-f]{64}$/;
    // One spelling only: of a name that stands there twice another reader takes the other one.
    if (JSON.stringify(entry) !== line.replace(/\r$/, '')) return undefined;
    const whole = Number.isSafeInteger(entry.seq) && entry.seq > 0 && typeof entry.workspace === 'string';
    return whole && hex.test(entry.previous) && hex.test(entry.hash) && typeof entry.at === 'string'
      ? entry
      : undefined;
  } catch {
    return undefined;
  }
}
