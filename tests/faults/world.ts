import type { Cluster } from './cluster.ts';
import type { FaultLoad } from './fault-load.ts';

/** What a fault is done to, while clients go on. */
export interface World {
  readonly cluster: Cluster;
  readonly load: FaultLoad;
  readonly random: () => number;
}
