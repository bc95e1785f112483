import { type Client, Dispatcher } from 'undici';

interface Waiting {
  readonly options: Dispatcher.DispatchOptions;
  readonly handler: Dispatcher.DispatchHandler;
}

interface Slot {
  readonly client: Client;
  idle: boolean;
}

/**
 * Connections to one origin; each request takes the one that fell idle last, so that those beyond what is needed close.
 * Not undici's `Pool`, which looks through all of its connections twice for each request: with 2,000 streams under way
 * that is more work than the rest of a run.
 */
export class ConnectionPool extends Dispatcher {
  readonly #open: () => Client;
  readonly #most: number;
  readonly #slots = new Set<Slot>();
  readonly #idle: Slot[] = [];
  #waiting: Waiting[] = [];
  #closed = false;
  #whenServed: (() => void) | undefined;

  /** `open` makes a client that sends one request at a time; no more than `most` are made. */
  constructor(open: () => Client, most: number) {
    super();
    this.#open = open;
    this.#most = most;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (this.#closed) {
      handler.onResponseError?.(noController, new Error('the connections were closed'));
      return false;
    }
    const slot = this.#idle.pop() ?? this.#another();
    if (slot) send(slot, { options, handler }, this.#idle);
    else this.#waiting.push({ options, handler });
    return this.#idle.length > 0 || this.#slots.size < this.#most;
  }

  /** Takes nothing new; resolves when everything that was taken has ended. */
  override async close(): Promise<void> {
    this.#closed = true;
    if (this.#waiting.length > 0) {
      await new Promise<void>((resolve) => {
        this.#whenServed = resolve;
      });
    }
    await Promise.all([...this.#slots].map(({ client }) => client.close()));
  }

  override async destroy(): Promise<void> {
    this.#closed = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { handler } of waiting)
      handler.onResponseError?.(noController, new Error('the connections were closed'));
    this.#whenServed?.();
    await Promise.all([...this.#slots].map(({ client }) => client.destroy()));
  }

  #another(): Slot | undefined {
    if (this.#slots.size >= this.#most) return undefined;
    const slot: Slot = { client: this.#open(), idle: false };
    this.#slots.add(slot);
    slot.client.on('drain', () => this.#freed(slot));
    return slot;
  }

  #freed(slot: Slot) {
    if (slot.idle || !this.#slots.has(slot)) return;
    if (slot.client.stats.size > 0) {
      // Told while its next request is under way already, so nothing will tell the end of that one: it is the last.
      this.#slots.delete(slot);
      slot.client.close().catch(() => undefined);
      return;
    }
    const next = this.#waiting.shift();
    if (next) send(slot, next, this.#idle);
    else toIdle(slot, this.#idle);
    if (this.#waiting.length === 0) this.#whenServed?.();
  }
}

function send(slot: Slot, { options, handler }: Waiting, idle: Slot[]) {
  slot.idle = false;
  slot.client.dispatch(options, handler);
  // Refused before it was queued: then nothing tells that the client is free.
  if (!slot.idle && slot.client.stats.size === 0) toIdle(slot, idle);
}

function toIdle(slot: Slot, idle: Slot[]) {
  slot.idle = true;
  idle.push(slot);
}

/** Handlers are given one by contract; there is nothing to control any more. */
const noController = {
  aborted: true,
  paused: false,
  reason: null,
  rawHeaders: null,
  rawTrailers: null,
  abort: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
} as unknown as Dispatcher.DispatchController;
