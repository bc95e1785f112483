import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ApiError } from './api-error.ts';
import type { VendorModel } from './vendor-model.ts';

/** What the platform hands over with each call. */
export interface Access {
  readonly vendor: string;
  readonly baseUrl: string;
  readonly key: string | null;
}

type Settings = Readonly<Record<string, unknown>>;
type Create = (settings: Settings) => (model: string) => VendorModel;

const entries: Readonly<Record<string, readonly [file: string, name: string, settings: (access: Access) => Settings]>> =
  {
    bedrock: ['amazon-bedrock/dist/index.js', 'createAmazonBedrock', bedrockSettings],
    // The entry for the edge: its tokens come through `fetch`, those of the other one through a library of Google's.
    vertex: ['google-vertex/dist/edge/index.js', 'createGoogleVertex', vertexSettings],
    cohere: ['cohere/dist/index.js', 'createCohere', ({ key }) => ({ apiKey: key ?? '' })],
    mistral: ['mistral/dist/index.js', 'createMistral', ({ key }) => ({ apiKey: key ?? '' })],
  };

/** Answers the model of a vendor; a vendor's package is loaded when it is asked for first. */
export function loadVendors(packages: string, fetch: typeof globalThis.fetch) {
  const loaded = new Map<string, Promise<Create>>();
  return async (access: Access, model: string): Promise<VendorModel> => {
    const entry = Object.hasOwn(entries, access.vendor) ? entries[access.vendor] : undefined;
    if (!entry) throw new ApiError(400, 'unknown_vendor', `The add-on knows ${Object.keys(entries).join(', ')}.`);
    const [file, name, settings] = entry;
    const create = loaded.get(file) ?? load(join(packages, 'node_modules', '@ai-sdk', file), name);
    loaded.set(file, create);
    return (await create)({ ...settings(access), baseURL: access.baseUrl, fetch })(model);
  };
}

async function load(path: string, name: string): Promise<Create> {
  const module = (await import(pathToFileURL(path).href)) as Record<string, Create>;
  return module[name] as Create;
}

/** `id:secret` or `id:secret:token` signs each request; a key without a colon is an API key of Bedrock. */
function bedrockSettings({ baseUrl, key }: Access): Settings {
  const region = /\.([a-z]{2}(?:-[a-z]+)+-\d)\./.exec(new URL(baseUrl).hostname)?.[1] ?? 'us-east-1';
  const [id = '', secret, ...token] = (key ?? '').split(':');
  if (secret === undefined) return { region, apiKey: id };
  return { region, accessKeyId: id, secretAccessKey: secret, ...(token[0] ? { sessionToken: token.join(':') } : {}) };
}

/** The key file of a service account in base64, or an API key of the express mode. */
function vertexSettings({ baseUrl, key }: Access): Settings {
  const account = readAccount(key ?? '');
  if (!account) return { apiKey: key ?? '' };
  // Only `baseURL` is called; the package wants them to be there all the same.
  const [, project = 'none', location = 'global'] = /\/projects\/([^/]+)\/locations\/([^/]+)/.exec(baseUrl) ?? [];
  const { client_email: clientEmail, private_key: privateKey, private_key_id: privateKeyId } = account;
  return { project, location, googleCredentials: { clientEmail, privateKey, privateKeyId } };
}

function readAccount(key: string): Readonly<Record<string, string>> | null {
  try {
    const read = JSON.parse(Buffer.from(key, 'base64').toString('utf8')) as Record<string, string>;
    return typeof read.client_email === 'string' && typeof read.private_key === 'string' ? read : null;
  } catch {
    return null;
  }
}
