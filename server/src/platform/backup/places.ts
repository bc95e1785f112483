import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError } from '../app-error.ts';
import type { Clock } from '../clock.ts';
import { createEgress, type Egress } from '../egress/egress.ts';
import { createFileDestination, openFileSource } from './file-place.ts';
import type { Destination, Source } from './place.ts';
import { createStoreClient, type StoreClient, type StoreObject } from './store-client.ts';
import { createStoreDestination, openStoreSource } from './store-place.ts';

/** Files and S3-compatible stores, by what the person wrote. */
export interface Places {
  /** `name` is for a place that only says the folder. */
  create(place: string, name: string): Promise<Destination>;
  open(place: string): Promise<Source>;
  close(): Promise<void>;
}

/** As the settings have it; names of the environment are those of the vendors' own tools. */
export interface StoreSettings {
  readonly access_key_id: string | undefined;
  readonly secret_access_key: string | undefined;
  readonly session_token: string | undefined;
  readonly region: string;
  readonly endpoint: string | undefined;
}

const storePrefix = 's3://';

export function openPlaces(store: StoreSettings, clock: Clock): Places {
  let egress: Egress | undefined;
  let client: StoreClient | undefined;
  const send = () => {
    egress ??= createEgress({ allow: [], clock });
    client ??= createStoreClient({ egress, clock, credentials: readCredentials(store), endpoint: store.endpoint });
    return client;
  };
  return {
    async create(place, name) {
      if (place.startsWith(storePrefix)) {
        const object = parseObject(place);
        const isFolder = object.key === '' || object.key.endsWith('/');
        return createStoreDestination(send(), isFolder ? { ...object, key: object.key + name } : object);
      }
      const path = resolve(readPath(place));
      const isFolder = place.endsWith('/') || (await stat(path).catch(() => undefined))?.isDirectory();
      return createFileDestination(isFolder ? join(path, name) : path);
    },
    async open(place) {
      if (!place.startsWith(storePrefix)) return openFileSource(resolve(readPath(place)));
      const object = parseObject(place);
      if (object.key !== '' && !object.key.endsWith('/')) return openStoreSource(send(), object);
      throw new AppError('invalid_request', `${place} is a folder. Name one backup in it.`);
    },
    async close() {
      await egress?.close();
    },
  };
}

function readPath(place: string): string {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(place)?.[1];
  if (scheme === undefined && place !== '') return place;
  throw new AppError(
    'invalid_request',
    `${place || 'An empty name'} is no place for a backup. Write a path, or s3://bucket/prefix.`,
  );
}

function parseObject(place: string): StoreObject {
  const [, bucket = '', key = ''] = /^([^/]*)\/?(.*)$/s.exec(place.slice(storePrefix.length)) ?? [];
  const segments = key.split('/').slice(0, -1);
  if (
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) &&
    !segments.some((one) => /^\.{0,2}$/.test(one)) &&
    !/^\.{1,2}$/.test(key.split('/').at(-1) ?? '')
  ) {
    return { bucket, key };
  }
  throw new AppError(
    'invalid_request',
    `${place} names no bucket and object. Write s3://bucket/prefix/ or s3://bucket/name.backup.`,
  );
}

function readCredentials(store: StoreSettings) {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, session_token: sessionToken, region } = store;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new AppError(
      'invalid_request',
      'An S3 store needs a key. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_ENDPOINT_URL when it is not AWS.',
    );
  }
  return { accessKeyId, secretAccessKey, sessionToken, region };
}
