import type { OutputOf } from '@damask/contracts/operation.ts';
import type { PatternFile, PatternVersion, patternOperations } from '@damask/contracts/pattern.ts';
import { defaultSettings } from '@damask/contracts/pattern-settings.ts';
import type { Transaction } from '#platform/database/database.ts';
import { digestText } from './digest.ts';
import { fromStoredSettings, type StoredSettings, toStoredSettings } from './stored-settings.ts';
import type { VersionContent } from './version-content.ts';
import { writeRows } from './write-rows.ts';

type VersionSummary = OutputOf<typeof patternOperations.listVersions>['items'][number];

/** A version as it enters the database. `created_at` is RFC 3339. */
export interface NewVersion {
  /** Id of the pattern. */
  readonly pattern: string;
  readonly number: number;
  readonly content: VersionContent;
  readonly message: string | null;
  readonly source: VersionSummary['source'];
  readonly created_at: string;
  /** Null for the platform itself. */
  readonly created_by: string | null;
  readonly author: string | null;
}

interface ManifestEntry {
  readonly path: string;
  readonly hash: string;
}

interface SummaryRow extends Omit<VersionSummary, 'source' | 'created_at'> {
  readonly source_kind: VersionSummary['source']['kind'];
  readonly source_origin: string | null;
  readonly source_commit: string | null;
  readonly source_blob: string | null;
  readonly created_at: Date;
}

type VersionRow = SummaryRow &
  Omit<PatternVersion, keyof VersionSummary | keyof StoredSettings | 'files'> & {
    readonly settings: StoredSettings;
  };

const summaryColumns = `p.name as pattern, v.number as version, v.digest, v.message, v.source_kind, v.source_origin, v.source_commit, v.source_blob,
  v.created_at, v.created_by, v.author,
  array(select l.name from pattern.label as l
    where l.workspace = v.workspace and l.pattern = v.pattern and l.number = v.number order by l.name) as labels`;
const fromVersion = `from pattern.version as v join pattern.pattern as p on p.workspace = v.workspace and p.id = v.pattern`;

const versionColumns = `workspace uuid, pattern uuid, number int, digest text, files_digest text, files jsonb, system_hash text,
  message text, source_kind text, source_origin text, source_commit text, source_blob text, title text, description text, tags text[], model text, parameters jsonb,
  variables jsonb, literal_tokens text[], disabled_capabilities text[], settings jsonb, created_at timestamptz, created_by uuid, author text`;
const versionNames = versionColumns.replaceAll(/ (?:uuid|int|text|jsonb|timestamptz)\b(?:\[\])?/g, '');

const insertFiles = `insert into pattern.file (workspace, hash, content)
  select * from json_to_recordset($1) as given(workspace uuid, hash text, content text) on conflict do nothing`;
const insertRows = `insert into pattern.version (${versionNames})
  select ${versionNames} from json_to_recordset($1) as given(${versionColumns})`;

/** Writes versions with their files. Their patterns must exist and be locked. */
export async function insertVersions(
  transaction: Transaction,
  workspace: string,
  versions: readonly NewVersion[],
): Promise<void> {
  const manifests: ManifestEntry[][] = [];
  await writeRows(transaction, insertFiles, fileRows(workspace, versions, manifests));
  await writeRows(transaction, insertRows, versionRows(workspace, versions, manifests));
}

/** One row for each text; leaves each version's manifest behind. */
function* fileRows(workspace: string, versions: readonly NewVersion[], manifests: ManifestEntry[][]) {
  const seen = new Set<string>();
  for (const { content } of versions) {
    const manifest: ManifestEntry[] = [];
    for (const file of content.files) {
      const hash = digestText(file.content);
      manifest.push({ path: file.path, hash });
      if (seen.has(hash)) continue;
      seen.add(hash);
      yield { workspace, hash, content: file.content };
    }
    manifests.push(manifest);
    const hash = digestText(content.text);
    if (!seen.has(hash)) yield { workspace, hash, content: content.text };
    seen.add(hash);
  }
}

function* versionRows(workspace: string, versions: readonly NewVersion[], manifests: readonly ManifestEntry[][]) {
  for (const [index, { content, source, ...version }] of versions.entries()) {
    const { files: _, text, wanted, chainLines, ...derived } = content;
    if (wanted.length > 0) throw new Error(`${wanted[0]?.pattern} was not looked up`);
    if (chainLines) throw new Error('The patterns of the steps were not looked up');
    const files = manifests[index] as ManifestEntry[];
    yield {
      ...derived,
      ...version,
      settings: toStoredSettings(derived.settings),
      workspace,
      files,
      system_hash: digestText(text),
      source_kind: source.kind,
      source_origin: source.origin ?? null,
      source_commit: source.commit ?? null,
      source_blob: source.blob ?? null,
    };
  }
}

/** A version with its files. */
export async function findVersion(
  transaction: Transaction,
  pattern: string,
  number: number,
): Promise<PatternVersion | undefined> {
  const [row] = await transaction.query<VersionRow & { manifest: ManifestEntry[] }>(
    `select ${summaryColumns}, v.title, v.description, v.tags, v.model, v.parameters, v.variables, v.literal_tokens,
        v.disabled_capabilities, v.settings, v.files as manifest
       ${fromVersion} where v.pattern = $1 and v.number = $2`,
    [pattern, number],
  );
  if (!row) return undefined;
  const { manifest, settings, ...version } = row;
  return {
    ...toSummary(version),
    ...defaultSettings,
    ...fromStoredSettings(settings),
    files: await readFiles(transaction, manifest),
  };
}

interface NewestRow
  extends Pick<PatternVersion, 'version' | 'digest' | 'variables' | 'literal_tokens' | 'disabled_capabilities'> {
  readonly settings: StoredSettings;
  readonly text: string;
}

/** The newest version of a living pattern, with the text that its runs read. */
export async function findNewest(transaction: Transaction, name: string): Promise<NewestRow | undefined> {
  const [row] = await transaction.query<NewestRow>(
    `select v.number as version, v.digest, v.variables, v.literal_tokens, v.disabled_capabilities, v.settings, f.content as text
       from pattern.pattern as p
       join pattern.version as v on v.workspace = p.workspace and v.pattern = p.id and v.number = p.latest
       join pattern.file as f on f.workspace = v.workspace and f.hash = v.system_hash
      where p.deleted_at is null and p.name = $1`,
    [name],
  );
  return row;
}

async function readFiles(transaction: Transaction, manifest: readonly ManifestEntry[]): Promise<PatternFile[]> {
  const rows = await transaction.query<{ hash: string; content: string }>(
    'select hash, content from pattern.file where hash = any($1)',
    [manifest.map((entry) => entry.hash)],
  );
  const contents = new Map(rows.map((row) => [row.hash, row.content]));
  return manifest.map(({ path, hash }) => {
    const content = contents.get(hash);
    if (content === undefined) throw new Error(`The text of ${path} is missing`);
    return { path, content };
  });
}

/** Newest first, below the number `before`. */
export async function listVersions(
  transaction: Transaction,
  pattern: string,
  page: { readonly before: number | null; readonly limit: number },
): Promise<VersionSummary[]> {
  const rows = await transaction.query<SummaryRow>(
    `select ${summaryColumns} ${fromVersion}
      where v.pattern = $1 and ($2::int is null or v.number < $2) order by v.number desc limit $3`,
    [pattern, page.before, page.limit],
  );
  return rows.map(toSummary);
}

function toSummary<Row extends SummaryRow>(version: Row) {
  const {
    source_kind: kind,
    source_origin: origin,
    source_commit: commit,
    source_blob: blob,
    created_at,
    ...row
  } = version;
  return {
    ...row,
    source: {
      kind,
      ...(origin !== null && { origin }),
      ...(commit !== null && { commit }),
      ...(blob !== null && { blob }),
    },
    created_at: created_at.toISOString(),
  };
}
