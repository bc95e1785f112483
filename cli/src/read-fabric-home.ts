import { type Dirent, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { formatNumber } from './figures.ts';
import { InputError } from './input-error.ts';
import { readTextFile } from './read-text-file.ts';
import { readTree, type Tree } from './read-tree.ts';

/** What Fabric keeps in its folder beside patterns and strategies. */
export interface FabricHome extends Tree {
  readonly contexts: readonly { readonly name: string; readonly content: string }[];
  readonly sessions: readonly { readonly name: string; readonly turns: readonly SentTurn[] }[];
  /** What a person should know, a sentence each. */
  readonly notes: readonly string[];
}

export interface SentTurn {
  readonly role: 'user' | 'assistant' | 'system' | 'meta';
  readonly content: string;
}

type Ignored = { path: string; reason: string }[];

const legalName = /^[a-z0-9][a-z0-9_-]{0,99}$/;
const modelName = /^[^\s/]+\/\S+$/;
const sampling = ['temperature', 'topp', 'presencepenalty', 'frequencypenalty', 'seed', 'modelContextLength'];

/** Whether a folder is the one that Fabric keeps its things in: `~/.config/fabric`. */
export function isFabricHome(folder: string): boolean {
  const has = (path: string) => existsSync(join(folder, path));
  return has('patterns') && !has('data/patterns') && ['.env', 'contexts', 'sessions', 'config.yaml'].some(has);
}

/**
 * Reads Fabric's folder. Of `.env` only four kinds of lines are looked at, by their names: the models of patterns, the default
 * model, the folder of custom patterns. Keys are in the same file and are never taken.
 */
export function readFabricHome(folder: string): FabricHome {
  const settings = readSettings(join(folder, '.env'));
  const ignored: Ignored = [];
  const notes: string[] = [];
  const tree = withCustom(readTree(folder), settings.get('CUSTOM_PATTERNS_DIRECTORY'), notes);
  const files = withModels(tree.files, settings, notes);
  const contexts = list(join(folder, 'contexts')).flatMap((entry) => readContext(folder, entry, ignored));
  const sessions = list(join(folder, 'sessions')).flatMap((entry) => readSession(folder, entry, ignored));
  noteDefaults(folder, settings, notes);
  return { files, ignored: [...tree.ignored, ...ignored], contexts, sessions, notes };
}

function readSettings(path: string): Map<string, string> {
  const wanted =
    /^(?:export\s+)?(FABRIC_MODEL_[A-Z0-9_]+|DEFAULT_VENDOR|DEFAULT_MODEL|CUSTOM_PATTERNS_DIRECTORY)=(.*)$/;
  const settings = new Map<string, string>();
  for (const line of (existsSync(path) ? readFileSync(path, 'utf8') : '').split(/\r?\n/)) {
    const [, name, value = ''] = wanted.exec(line.trim()) ?? [];
    const plain = value.trim().replace(/^(["'])(.*)\1$/, '$2');
    if (name !== undefined && plain !== '') settings.set(name, plain);
  }
  return settings;
}

/** Custom patterns win over those of the same name, as in Fabric. */
function withCustom(tree: Tree, directory: string | undefined, notes: string[]): Tree {
  if (directory === undefined) return tree;
  const folder = directory.replace(/^~(?=\/|$)/, homedir());
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    notes.push(`The folder of custom patterns, ${directory}, is not there.`);
    return tree;
  }
  const own = readTree(folder);
  const files = own.files.map((file) => ({
    ...file,
    path: `patterns/${file.path.replace(/^(?:data\/)?patterns\//, '')}`,
  }));
  const folderOf = (path: string) => path.split('/', 2).join('/');
  const names = new Set(files.map(({ path }) => folderOf(path)));
  notes.push(`${formatNumber(names.size, 'custom pattern')} from ${directory}.`);
  return {
    files: [...tree.files.filter(({ path }) => !names.has(folderOf(path))), ...files],
    ignored: [...tree.ignored, ...own.ignored],
  };
}

/** `FABRIC_MODEL_<PATTERN>=vendor|model` becomes the model in a pattern.yaml, where the pattern has none. */
function withModels(files: Tree['files'], settings: ReadonlyMap<string, string>, notes: string[]): Tree['files'] {
  const present = new Set(files.map(({ path }) => path));
  const names = [...present].flatMap((path) => /^patterns\/([^/]+)\/system\.md$/.exec(path)?.[1] ?? []);
  const added = names.flatMap((name) => {
    const setting = `FABRIC_MODEL_${name.toUpperCase().replaceAll('-', '_')}`;
    const value = settings.get(setting);
    if (value === undefined) return [];
    const model = modelOf(value);
    const path = `patterns/${name}/pattern.yaml`;
    if (model === undefined) notes.push(`${setting} is not written as vendor|model, and was left out.`);
    else if (present.has(path)) notes.push(`${name} has a pattern.yaml of its own; ${setting} was left out.`);
    else return [{ path, content: `model: ${JSON.stringify(model)}\n` }];
    return [];
  });
  if (added.length > 0)
    notes.push(`FABRIC_MODEL_... of ${formatNumber(added.length, 'pattern')} becomes \`model\` in a pattern.yaml.`);
  return [...files, ...added];
}

function modelOf(value: string): string | undefined {
  const [vendor = '', ...rest] = value.split('|');
  const model = `${vendor.trim().toLowerCase().replaceAll(/\s+/g, '-')}/${rest.join('|').trim()}`;
  return modelName.test(model) ? model : undefined;
}

function readContext(folder: string, { name }: Dirent, ignored: Ignored): FabricHome['contexts'] {
  const path = `contexts/${name}`;
  if (!legalName.test(name)) return leave(ignored, path, nameReason('context'));
  const content = readTextFile(join(folder, path)) ?? '';
  if (content.trim() === '') return leave(ignored, path, 'an empty context says nothing');
  return [{ name, content }];
}

function readSession(folder: string, { name: file }: Dirent, ignored: Ignored): FabricHome['sessions'] {
  const path = `sessions/${file}`;
  const name = file.replace(/\.json$/, '');
  if (!file.endsWith('.json') || !legalName.test(name)) return leave(ignored, path, nameReason('session'));
  let messages: unknown;
  try {
    messages = JSON.parse(readTextFile(join(folder, path)) ?? '');
  } catch (error) {
    if (error instanceof InputError) throw error;
    return leave(ignored, path, 'is not JSON');
  }
  if (!Array.isArray(messages)) return leave(ignored, path, 'is not a list of messages');
  const turns = messages.flatMap(toTurn);
  // A session without a word would look like one that was taken over.
  if (turns.length === 0) return leave(ignored, path, 'holds no message with a text');
  return [{ name, turns }];
}

/** Images of a message are left out; what tools said is kept and never sent. */
function toTurn(message: unknown): SentTurn[] {
  const { role, content } = (message ?? {}) as { role?: unknown; content?: unknown };
  const pieces = Array.isArray(content) ? content : [{ type: 'text', text: content }];
  const texts = pieces.flatMap((piece: { type?: unknown; text?: unknown } | null) =>
    piece?.type === 'text' && typeof piece.text === 'string' ? [piece.text] : [],
  );
  if (texts.length === 0) return [];
  const known = role === 'user' || role === 'assistant' || role === 'system';
  return [{ role: known ? role : 'meta', content: texts.join('\n') }];
}

/** Fabric's defaults are those of a person; Damask's are the server's, so they are told and not taken. */
function noteDefaults(folder: string, settings: ReadonlyMap<string, string>, notes: string[]): void {
  const config = new Map<string, string>();
  for (const line of (readTextFile(join(folder, 'config.yaml')) ?? '').split('\n')) {
    const [, key, value = ''] = /^(\w+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== '') config.set(key, value.replace(/^(["'])(.*)\1$/, '$2'));
  }
  const vendor = config.get('vendor') ?? settings.get('DEFAULT_VENDOR') ?? '';
  const model = modelOf(`${vendor}|${config.get('model') ?? settings.get('DEFAULT_MODEL') ?? ''}`);
  if (model !== undefined)
    notes.push(`The default model was ${model}. To keep it, start the server with DAMASK_MODEL=${model}.`);
  const said = sampling.filter((key) => config.has(key));
  if (said.length > 0)
    notes.push(`config.yaml sets ${said.join(', ')}: write that into a pattern.yaml, or give it with a run.`);
}

function leave(ignored: Ignored, path: string, reason: string): [] {
  ignored.push({ path, reason });
  return [];
}

const nameReason = (what: string) => `cannot name a ${what}: lower case letters, digits, _ and -, at most 100`;

function list(folder: string): Dirent[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile() && !entry.name.startsWith('.'));
}
