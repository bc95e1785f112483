import { setImmediate as letOthersRun } from 'node:timers/promises';
import type { OutputCheck, RunFlag } from '@damask/contracts/guard.ts';
import { createFindStream, type FindStream } from '#platform/redact/find-stream.ts';
import { type Finding, inOrder } from '#platform/redact/finding.ts';
import { findInPlain } from '#platform/redact/plain-letters.ts';
import { detectors } from '#platform/redact/redactor.ts';
import { notKept, type TextThreads, unread } from '#platform/redact/text-threads.ts';
import type { Part } from '../template/parts.ts';
import { createWordFinder } from './find-words.ts';
import { createLeakFinder, type LeakFinder } from './prompt-leak.ts';

/** What checks say of an answer. */
export interface Verdict {
  readonly flags: readonly RunFlag[];
  /** The check that holds the answer back; undefined: it may go out. */
  readonly blocked: RunFlag | undefined;
  /** The answer with what is to be masked taken out. */
  readonly text: string;
}

/** The checks of a version, made ready. */
export interface OutputChecks {
  /** What has to be seen as a whole before any of it may go out. */
  readonly held: boolean;
  /** For an answer that goes out while it comes; undefined where nothing of it is held back. */
  watch(blocked: (flag: RunFlag) => void): FindStream | undefined;
  judge(threads: TextThreads, text: string): Promise<Verdict>;
}

/** Characters that are looked through before others run, and how many of them are looked at twice. */
const slice = 64 * 1024;
const overlap = 2 * 1024;
/** Keys, addresses and words are told apart within so many characters. */
const reach = 512;

/** What checks need of a version. */
interface Checked {
  readonly checks: readonly OutputCheck[];
  readonly digest: string;
  readonly parts: readonly Part[];
  readonly output: { readonly type: string };
}

export function createOutputChecks(version: Checked): OutputChecks {
  const { checks } = version;
  const compiled = checks.map((check) => ({ check, words: createWordFinder(check.words, check.name) }));
  const masks = checks.some(({ on_fail }) => on_fail === 'mask');
  const held =
    checks.some((check) => check.on_fail === 'block' && (check.expressions.length > 0 || check.prompt_leak)) ||
    // A value could be masked in its middle only once it is whole.
    (masks && version.output.type === 'json');
  const live = compiled.filter(
    ({ check: { on_fail, detect, words } }) => on_fail !== 'flag' && detect.length + words.length > 0,
  );
  let leaks: LeakFinder | undefined;

  return {
    held,
    watch(blocked) {
      if (held || live.length === 0) return undefined;
      return createFindStream({ reach, find: (text) => findLive(live, text), found });
      function found({ kind }: Finding): string | undefined {
        const place = kind.indexOf(' ');
        const name = kind.slice(0, place);
        const what = kind.slice(place + 1);
        const check = checks.find((one) => one.name === name) as OutputCheck;
        if (check.on_fail === 'mask') return `[${what}]`;
        blocked({ check: name, found: what, count: 1, action: 'block' });
        return undefined;
      }
    },
    async judge(threads, text) {
      const flags: RunFlag[] = [];
      let clean = text;
      for (const { check, words } of compiled) {
        const add = (found: string, count: number) => {
          if (count > 0) flags.push({ check: check.name, found, count, action: check.on_fail });
        };
        if (check.detect.length > 0) {
          const { texts, counts } = await threads.redact({ kinds: check.detect, expressions: [] }, [text]);
          for (const [kind, count] of Object.entries(counts)) add(kind, count);
          if (check.on_fail === 'mask') {
            clean = counts[unread] ? notKept : await mask(threads, check, clean, texts[0] ?? '', text);
          }
        }
        if (check.words.length > 0) add('words', await countSlices(text, (part) => words(part).length));
        if (check.expressions.length > 0) {
          const counts = await threads.count(check.expressions, text);
          // Nobody may get an answer through by making it take long.
          add('expressions', counts ? counts.reduce((sum, count) => sum + count, 0) : 1);
        }
        if (check.prompt_leak) {
          leaks ??= createLeakFinder(version.digest, version.parts);
          const finder = leaks;
          add('prompt', await countSlices(text, finder));
        }
      }
      return { flags, blocked: flags.find(({ action }) => action === 'block'), text: clean };
    },
  };
}

/** What one check left of the text is looked through by the next one. */
async function mask(threads: TextThreads, { detect }: OutputCheck, clean: string, masked: string, text: string) {
  if (clean === text) return masked;
  return (await threads.redact({ kinds: detect, expressions: [] }, [clean])).texts[0] ?? '';
}

function findLive(
  live: readonly { readonly check: OutputCheck; words(text: string): Finding[] }[],
  text: string,
): Finding[] {
  const found: Finding[] = [];
  for (const { check, words } of live) {
    for (const kind of check.detect) {
      for (const { start, end } of findInPlain(text, detectors[kind]))
        found.push({ start, end, kind: `${check.name} ${kind}` });
    }
    if (check.words.length > 0) {
      for (const { start, end } of words(text)) found.push({ start, end, kind: `${check.name} words` });
    }
  }
  return inOrder(found);
}

async function countSlices(text: string, count: (part: string) => number): Promise<number> {
  if (text.length <= slice) return count(text);
  let sum = 0;
  for (let at = 0; at < text.length; at += slice) {
    sum += count(text.slice(Math.max(0, at - overlap), at + slice));
    await letOthersRun();
  }
  return sum;
}
