import { type ServiceName, serviceOperations } from '@damask/contracts/services.ts';
import { auditSettingsOf } from './audit-settings.ts';
import { type Config, publicUrlOf } from './config.ts';
import type { Floor } from './open-floor.ts';
import { startResealing } from './platform/crypto/resealing.ts';
import type { SealedColumn } from './platform/crypto/sealed-column.ts';
import { type DoorOptions, openDoor } from './platform/rpc/door.ts';
import { createRemoteClient } from './platform/rpc/remote-client.ts';
import { identityMigrations, identitySealed, openIdentity, type RunningIdentity } from './services/identity/service.ts';
import type { Addon } from './services/pattern/model/addon/addon.ts';
import type { EnvironmentProvider } from './services/pattern/model/environment-providers.ts';
import type { LocalModel } from './services/pattern/model/local/local-model.ts';
import {
  createPatternService,
  type PatternService,
  type PlantedFaults,
  patternMigrations,
  patternSealed,
} from './services/pattern/service.ts';

export type OwnService = Exclude<ServiceName, 'gateway'>;

/** What the run path gets that is not of the floor: models of the operator and of this machine. */
export interface Models {
  readonly environmentProviders: () => readonly EnvironmentProvider[];
  readonly localModel: LocalModel | null;
  /** Of the process that executes runs. */
  readonly addon?: Addon | null;
}

type AnyClient = Readonly<Record<string, (context: never, input: never) => Promise<unknown>>>;

interface Running {
  readonly operations: object;
  stop(milliseconds: number): Promise<void>;
}

interface Entry {
  /** Services that it calls synchronously. Acyclic; a test checks it. */
  readonly needs: readonly OwnService[];
  readonly migrations: string;
  /** Columns that hold sealed values: a new data key seals them anew. */
  readonly sealed: readonly SealedColumn[];
  create(floor: Floor, config: Config, models: Models, planted: PlantedFaults): Promise<Running>;
}

/** Who exists, who needs whom, how each is made. The only place that knows. */
export const serviceTable: Readonly<Record<OwnService, Entry>> = {
  identity: {
    needs: [],
    migrations: identityMigrations,
    sealed: identitySealed,
    create: async (floor, config) =>
      openIdentity(
        {
          ...floor,
          process: floor.registry.id,
          publicUrl: publicUrlOf(config),
          loginLimits: { idleMs: config.login.idle_ms, longestMs: config.login.longest_ms },
          auditSources: ownServices,
        },
        auditSettingsOf(config),
      ),
  },
  pattern: {
    needs: [],
    migrations: patternMigrations,
    sealed: patternSealed,
    create: (floor, config, models, planted) =>
      createPatternService({
        ...floor,
        ...models,
        redact: (text) => floor.redact.text(text),
        starters: floor.starters,
        defaultModel: config.models.default ?? null,
        runs: config.runs,
        queue: config.queue,
        batches: config.batches,
        planted,
      }),
  },
};

export const ownServices = Object.keys(serviceTable) as OwnService[];

export interface Address {
  readonly origin: string;
  readonly socketPath?: string;
}

export interface Composition {
  readonly clients: Readonly<Record<string, AnyClient>>;
  /** Present when this process executes runs. */
  readonly pattern: PatternService | undefined;
  /** Present when identity runs here. */
  readonly identity: RunningIdentity | undefined;
  /** Why a service of another process cannot take calls, or null. */
  readonly elsewhere: Readonly<Record<string, () => Promise<string | null>>>;
  stop(milliseconds: number): Promise<void>;
}

export interface ComposeOptions {
  readonly here: readonly OwnService[];
  /** Where the others are; null for one that this process never calls. */
  readonly addressOf: (service: OwnService) => Address | null;
  readonly floor: Floor;
  readonly config: Config;
  readonly models: Models;
  readonly door: DoorOptions;
  readonly planted?: PlantedFaults;
}

/** Makes the services of this process and a client for every service, in this process or another. */
export async function compose({
  here,
  addressOf,
  floor,
  config,
  models,
  door,
  planted = {},
}: ComposeOptions): Promise<Composition> {
  const clients: Record<string, AnyClient> = {};
  const running: Running[] = [];
  const elsewhere: Record<string, () => Promise<string | null>> = {};
  const closing: (() => Promise<void>)[] = [];
  let pattern: PatternService | undefined;
  let identity: RunningIdentity | undefined;
  for (const service of ownServices) {
    if (here.includes(service)) {
      const made = await serviceTable[service].create(floor, config, models, planted);
      if (service === 'pattern') pattern = made as PatternService;
      if (service === 'identity') identity = made as RunningIdentity;
      running.push(made);
      clients[service] = openDoor(serviceOperations[service], made.operations as never, door) as AnyClient;
      continue;
    }
    const address = addressOf(service);
    if (address) {
      const operations = serviceOperations[service];
      const remote = createRemoteClient({ service, operations, tokens: floor.tokens, clock: floor.clock, ...address });
      clients[service] = remote.client as AnyClient;
      elsewhere[service] = remote.ready;
      closing.push(remote.close);
    }
  }
  // With identity, which begins rotations: off the run path where that is a process of its own.
  if (here.includes('identity')) {
    const resealing = startResealing({
      ...floor,
      columns: ownServices.flatMap((service) => serviceTable[service].sealed),
    });
    closing.push(resealing.stop);
  }
  return {
    clients,
    pattern,
    identity,
    elsewhere,
    async stop(milliseconds) {
      await Promise.all(running.map((service) => service.stop(milliseconds)));
      await Promise.all(closing.map((close) => close()));
    },
  };
}
