import type { Cluster } from './cluster.ts';
import type { FaultLoad } from './fault-load.ts';

/** What a fault is done to, while clients go on. */
export interface World {
  readonly cluster: Cluster;
  readonly load: FaultLoad;
  readonly random: () => number;
}

/** A fault of the catalogue: its number, what happens, and how it is done. It throws where the platform answered wrongly. */
export interface Fault {
  readonly id: string;
  readonly what: string;
  /** The process that it happens to; faults of different ones can happen together. */
  readonly at: 'first' | 'second' | 'third' | 'all';
  readonly needs?: 'rabbit' | 'disk';
  inject(world: World): Promise<void>;
}
