import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '../clock.ts';
import type { Carrier } from './carrier.ts';

export interface CarrierKind {
  readonly name: string;
  /** A carrier as one more process would open it. */
  open(): Carrier;
  /** Takes away what carries; afterwards it is there again. */
  interrupt(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly skip: string | false;
}

/** Counts how often it was woken. */
function counter() {
  let count = 0;
  return {
    wake: () => {
      count += 1;
    },
    get count() {
      return count;
    },
  };
}

async function until(met: () => boolean, what: string): Promise<void> {
  for (let look = 0; look < 1_000 && !met(); look++) await systemClock.sleep(25);
  assert.ok(met(), what);
}

/** What every carrier does. */
export function testCarrier(kind: CarrierKind): void {
  const { skip } = kind;
  const open: Carrier[] = [];
  const carrier = () => {
    const made = kind.open();
    open.push(made);
    return made;
  };
  before(() => (skip ? undefined : kind.start()));
  after(async () => {
    if (skip) return;
    await Promise.all(open.map((made) => made.close()));
    await kind.stop();
  });

  test(`${kind.name}: each group of another process hears of what is announced, and of no other topic`, {
    skip,
  }, async () => {
    const [workers, readers, others] = [counter(), counter(), counter()];
    const far = carrier();
    far.subscribe('work', 'workers', workers.wake);
    far.subscribe('work', 'readers', readers.wake);
    far.subscribe('outbox.pattern', 'readers', others.wake);
    // Whoever begins to listen looks once.
    await until(() => workers.count > 0 && readers.count > 0 && others.count > 0, 'all listen');
    await systemClock.sleep(200);
    const heard = { workers: workers.count, readers: readers.count, others: others.count };
    const near = carrier();
    near.announce('work');
    await until(() => workers.count > heard.workers && readers.count > heard.readers, 'both groups hear');
    assert.equal(others.count, heard.others);
    assert.equal(near.fault(), null);
  });

  test(`${kind.name}: many words in a moment become few, and the last one is never left out`, { skip }, async () => {
    const heard = counter();
    carrier().subscribe('many', 'workers', heard.wake);
    await until(() => heard.count > 0, 'it listens');
    const near = carrier();
    near.announce('many');
    await until(() => heard.count > 1, 'the first is heard');
    await systemClock.sleep(200);
    const before = heard.count;
    for (let word = 0; word < 5_000; word++) near.announce('many');
    await until(() => heard.count > before, 'it is heard');
    await systemClock.sleep(300);
    assert.ok(heard.count - before <= 3, `${heard.count - before} for 5000`);
  });

  test(`${kind.name}: after an interruption everybody looks once, and words get through again`, { skip }, async () => {
    const heard = counter();
    const far = carrier();
    const near = carrier();
    far.subscribe('after', 'workers', heard.wake);
    await until(() => heard.count > 0, 'it listens');
    await kind.interrupt();
    const interrupted = heard.count;
    near.announce('after');
    await until(() => heard.count > interrupted, 'it looks again');
    await systemClock.sleep(300);
    const settled = heard.count;
    near.announce('after');
    await until(() => heard.count > settled, 'it hears again');
    await until(() => far.fault() === null, 'it is well again');
  });

  test(`${kind.name}: closes while words are on their way, and says nothing more`, { skip }, async () => {
    const heard = counter();
    const far = kind.open();
    far.subscribe('closing', 'workers', heard.wake);
    await until(() => heard.count > 0, 'it listens');
    far.announce('closing');
    await far.close();
    await systemClock.sleep(100);
    const before = heard.count;
    far.announce('closing');
    carrier().announce('closing');
    await systemClock.sleep(200);
    assert.equal(heard.count, before);
  });
}
