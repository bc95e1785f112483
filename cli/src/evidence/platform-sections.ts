import type { Encryption } from '@damask/sdk';
import { asJson, type Section, within } from './section.ts';

const dayMs = 86_400_000;

/** Keys, data protection, what is called outside, and what runs. */
export const platformSections: readonly Section[] = [
  {
    what: 'encryption keys',
    path: 'encryption/',
    async collect({ damask, spool, now }) {
      const encryption = await damask.encryption.read();
      await spool.text('encryption/encryption.json', 'GET /v1/encryption', asJson(encryption));
      const columns = ['kind', 'id', 'wrapped_by', 'created_at', 'age_days', 'next_due_at', 'overdue'] as const;
      await spool.list('encryption/keys', 'GET /v1/encryption', columns, keyRows(encryption, Date.parse(now)));
    },
  },
  {
    what: 'retention and removals',
    path: 'privacy/re',
    async collect({ damask, spool, ...period }) {
      await spool.text('privacy/retention.json', 'GET /v1/retention', asJson(await damask.retention.read()));
      const removals = within(damask.retention.removalsAll(), period, ({ removed_at }) => removed_at);
      const columns = [
        ...(['id', 'removed_at', 'reason', 'of', 'way', 'data_class', 'environment'] as const),
        ...(['count', 'oldest', 'newest'] as const),
      ];
      await spool.list('privacy/removals', 'GET /v1/retention/removals', columns, removals);
    },
  },
  {
    what: 'erasures',
    path: 'privacy/erasures',
    async collect({ damask, spool, ...period }) {
      const erasures = within(damask.subjects.erasuresAll(), period, ({ started_at }) => started_at);
      const columns = ['id', 'state', 'hold', 'removed', 'cancelled', 'started_at', 'finished_at'] as const;
      await spool.list('privacy/erasures', 'GET /v1/subjects/erasures', columns, erasures);
    },
  },
  {
    what: 'legal holds',
    path: 'privacy/holds',
    async collect({ damask, spool }) {
      const columns = ['name', 'reason', 'subject', 'pattern', 'since', 'until', 'placed_at', 'placed_by'] as const;
      await spool.list('privacy/holds', 'GET /v1/holds', columns, damask.holds.listAll());
    },
  },
  {
    what: 'redaction',
    path: 'privacy/redaction',
    async collect({ damask, spool }) {
      await spool.text('privacy/redaction.json', 'GET /v1/redaction', asJson(await damask.redaction.read()));
    },
  },
  {
    what: 'outbound calls',
    path: 'egress/',
    async collect({ damask, spool }) {
      const { surfaces } = await damask.egress.read();
      await spool.list('egress/allowed', 'GET /v1/egress', ['surface', 'allow'], surfaces);
    },
  },
  {
    what: 'providers',
    path: 'providers/',
    async collect({ damask, spool }) {
      const { items } = await damask.providers.list();
      const columns = ['name', 'origin', 'protocol', 'base_url', 'has_key', 'models', 'updated_at'] as const;
      const rows = items.map((provider) => ({ ...provider, models: provider.models.map(({ id }) => id) }));
      await spool.list('providers/sub-processors', 'GET /v1/providers', columns, rows);
    },
  },
  {
    what: 'the program',
    path: 'program/',
    async collect({ damask, spool }) {
      const from = 'GET /v1/evidence/program';
      const { version, sbom } = await damask.evidence.program();
      await spool.text('program/version.json', from, asJson({ version }));
      if (sbom === null) return;
      const components = readComponents(sbom);
      await spool.text('program/sbom.cdx.json', from, sbom, components.length);
      await spool.list('program/licences', from, ['name', 'version', 'licence', 'scope'], components);
    },
  },
];

function* keyRows({ key, versions, due_at }: Encryption, now: number) {
  const age = (at: string) => Math.floor((now - Date.parse(at)) / dayMs);
  const none = { wrapped_by: null, created_at: null, age_days: null, next_due_at: null, overdue: null };
  yield { kind: `key-encryption key (${key.source})`, id: key.id, ...none };
  for (const [at, { version, wrapped_by, created_at }] of versions.entries()) {
    const due = at === 0 ? due_at : null;
    yield {
      kind: at === 0 ? 'data key' : 'older data key',
      id: String(version),
      wrapped_by,
      created_at,
      age_days: age(created_at),
      next_due_at: due,
      overdue: due === null ? null : Date.parse(due) <= now,
    };
  }
}

interface Component {
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly scope: string;
  readonly licenses?: readonly { readonly expression?: string; readonly license?: { readonly id: string } }[];
}

function readComponents(sbom: string) {
  const { components } = JSON.parse(sbom) as { components: readonly Component[] };
  return components.map(({ group, name, version, scope, licenses = [] }) => ({
    name: group === undefined ? name : `${group}/${name}`,
    version,
    licence: licenses.map(({ expression, license }) => expression ?? license?.id).join(' and '),
    scope,
  }));
}
