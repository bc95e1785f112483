import { createHash } from 'node:crypto';
import type { AuditEntry } from '@damask/contracts/audit.ts';

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Mutable = { -readonly [Name in keyof AuditEntry]: AuditEntry[Name] };
type Tampering = (entries: readonly Mutable[], chance: () => number) => Mutable[];

const pick = (count: number, chance: () => number) => Math.floor(chance() * count);

/** Written here once more: what a forger who knows the format would do. */
function spelled(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spelled).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${spelled((value as Record<string, unknown>)[name])}`).join(',')}}`;
}

export function hashOf({ previous, hash: _, ...body }: AuditEntry): string {
  return createHash('sha256').update(Buffer.from(previous, 'hex')).update(spelled(body)).digest('hex');
}

/** Numbers and hashes anew from one entry on, as if the chain had always been so. */
function rewrite(entries: readonly Mutable[]): Mutable[] {
  let previous = '0'.repeat(64);
  return entries.map((entry, index) => {
    const made = { ...entry, seq: index + 1, previous };
    previous = hashOf(made);
    return { ...made, hash: previous };
  });
}

const edits: readonly ((entry: Mutable, chance: () => number) => Partial<Mutable>)[] = [
  ({ action }) => ({ action: `${action}x` }),
  ({ subject }) => ({ subject: subject.slice(0, -1) }),
  ({ actor }) => ({ actor: { ...actor, id: `${actor.id.slice(0, -1)}0x`.slice(-36) } }),
  ({ actor }) => ({ actor: { ...actor, kind: actor.kind === 'key' ? 'member' : 'key' } }),
  ({ outcome }) => ({ outcome: outcome === 'done' ? 'refused' : 'done' }),
  ({ details }) => ({ details: { ...details, name: 'somebody else' } }),
  ({ at }) => ({ at: at.replace(/\.(\d)(\d{5})Z$/, (_, first, rest) => `.${(Number(first) + 1) % 10}${rest}Z`) }),
  ({ address }) => ({ address: address === null ? '203.0.113.9' : null }),
  ({ reason }) => ({ reason: reason === null ? 'it was agreed' : null }),
  ({ before }) => ({ before: before === null ? `sha256:${'0'.repeat(64)}` : null }),
  ({ after }) => ({ after: after === null ? `sha256:${'0'.repeat(64)}` : null }),
  ({ auth }) => ({ auth: auth === 'token' ? 'system' : 'token' }),
  ({ request_id }) => ({ request_id: `${request_id}0` }),
  ({ service }) => ({ service: `${service}x` }),
  ({ hash }) => ({ hash: hash.replace(/^./, (first) => (first === '0' ? '1' : '0')) }),
  ({ previous }) => ({ previous: previous.replace(/.$/, (last) => (last === '0' ? '1' : '0')) }),
];

function edited(entries: readonly Mutable[], at: number, chance: () => number): Mutable[] {
  const entry = entries[at] as Mutable;
  const change = edits[pick(edits.length, chance)]?.(entry, chance) ?? {};
  return entries.with(at, { ...entry, ...change });
}

/** What somebody with all rights in the database may do to a chain, by name. */
export const tamperings: Readonly<Record<string, Tampering>> = {
  edit: (entries, chance) => edited(entries, pick(entries.length, chance), chance),
  'edit and hash anew': (entries, chance) => {
    const at = pick(entries.length, chance);
    const changed = edited(entries, at, chance);
    const entry = { ...(changed[at] as Mutable), previous: (entries[at] as Mutable).previous };
    // Giving back what it was would be no forgery.
    const forged = hashOf(entry) === entries[at]?.hash ? { ...entry, reason: 'forged' } : entry;
    return changed.with(at, { ...forged, hash: hashOf(forged) });
  },
  'edit and rewrite the rest': (entries, chance) => {
    const at = pick(entries.length, chance);
    return rewrite(entries.with(at, { ...(entries[at] as Mutable), reason: 'forged' }));
  },
  delete: (entries, chance) => {
    const at = pick(entries.length - 1, chance);
    return entries.toSpliced(at, 1 + pick(Math.min(5, entries.length - 1 - at), chance));
  },
  'delete and rewrite the rest': (entries, chance) => rewrite(entries.toSpliced(pick(entries.length, chance), 1)),
  swap: (entries, chance) => {
    const a = pick(entries.length, chance);
    const b = (a + 1 + pick(entries.length - 1, chance)) % entries.length;
    const [one, other] = [entries[a] as Mutable, entries[b] as Mutable];
    return entries.with(a, { ...other, seq: one.seq }).with(b, { ...one, seq: other.seq });
  },
  'swap and rewrite the rest': (entries, chance) => {
    const a = pick(entries.length, chance);
    const b = (a + 1 + pick(entries.length - 1, chance)) % entries.length;
    return rewrite(entries.with(a, entries[b] as Mutable).with(b, entries[a] as Mutable));
  },
  truncate: (entries, chance) => entries.slice(0, entries.length - 1 - pick(entries.length - 1, chance)),
  'add at the end of a cut': (entries, chance) => {
    const kept = entries.slice(0, entries.length - 1 - pick(entries.length - 1, chance));
    const last = kept.at(-1) as Mutable;
    const more = entries.slice(kept.length).map((entry) => ({ ...entry, reason: 'forged' }));
    return rewrite([
      ...kept,
      ...(more.length > 0 ? more : [{ ...last, id: last.id.replace(/.$/, '0'), reason: 'forged' }]),
    ]);
  },
};
