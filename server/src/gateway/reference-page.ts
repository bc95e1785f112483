import { errorCatalogue } from '@damask/contracts/errors.ts';
import { type Operation, pathParameters } from '@damask/contracts/operation.ts';
import { escapeHtml, framePage } from './page-frame.ts';
import type { Route } from './routes.ts';
import { describeType, outlineSchema } from './schema-text.ts';

/** The interface as a page to read: every operation with its fields, answer, errors and a command to try. */
export function buildReferencePage(routes: readonly Route[], version: string): string {
  const rank = ({ operation }: Route) => firstGroups.indexOf(groupOf(operation.path)) + 1 || firstGroups.length + 1;
  const sorted = routes.toSorted((a, b) => rank(a) - rank(b));
  const groups = Map.groupBy(sorted, ({ operation }) => groupOf(operation.path));
  const nav = [...groups].map(
    ([group, members]) =>
      `<strong>${escapeHtml(group)}</strong><ul>${members
        .map(({ name }) => `<li><a href="#${name}">${escapeHtml(name)}</a></li>`)
        .join('')}</ul>`,
  );
  const sections = [...groups].map(
    ([group, members]) => `<h2>${escapeHtml(group)}</h2>\n${members.map(describeOperation).join('\n')}`,
  );
  return framePage(
    'Damask API',
    `<nav><a href="/">Damask</a> ${escapeHtml(version)}${nav.join('')}<strong>Also</strong><ul><li><a href="#errors">errors</a></li><li><a href="/openapi.json">openapi.json</a></li></ul></nav>
<main>
<h1>Damask API</h1>
${introduction}
${sections.join('\n')}
${errorTable()}
</main>`,
  );
}

const introduction = `<p>JSON over HTTP. Send <code>Authorization: Bearer dmk_...</code> with every request; the key implies its workspace.
Field names are exact: an unknown field is refused, so that a typing error never passes silently.</p>
<pre>export DAMASK_URL=http://127.0.0.1:7440   # the address of this page
export DAMASK_API_KEY=dmk_...
curl -s "$DAMASK_URL/v1/runs" -H "Authorization: Bearer $DAMASK_API_KEY" \\
  -H "Content-Type: application/json" -d '{"pattern":"summarize","input":"..."}'</pre>
<p>Lists come in pages: pass <code>next</code> of one page as <code>cursor</code> to get the following one. Reads carry an
<code>ETag</code>: send it as <code>If-None-Match</code> and get 304 while nothing changed. Errors are
<code>application/problem+json</code> with a stable <code>code</code>, a <code>detail</code> that says what to do next, and a
<code>request_id</code> that stands in the log.</p>`;

/** What most people come for. */
const firstGroups = [
  'runs',
  'render',
  'patterns',
  'imports',
  'exports',
  'strategies',
  'contexts',
  'sessions',
  'models',
  'providers',
];

function groupOf(path: string): string {
  const [, first = '', second = ''] = path.split('/');
  return first === 'v1' ? second : 'service';
}

function describeOperation({ name, operation }: Route): string {
  const { method, path, permission, summary } = operation;
  const need = permission === 'public' ? 'public' : `needs <span class="need">${escapeHtml(permission)}</span>`;
  return `<h3 id="${name}"><a href="#${name}"><span class="method ${method}">${method}</span> <code>${escapeHtml(path)}</code></a> <span class="soft">${escapeHtml(name)}</span></h3>
<p>${escapeHtml(summary)}. <span class="soft">${need}</span></p>
${fieldTable(operation)}
${bodyOutline(operation)}<details><summary>Answer: ${operation.status}${operation.events ? ', or a stream of events' : ''}</summary><pre>${escapeHtml(outlineSchema(operation.output))}</pre>${eventNote(operation)}</details>
<details><summary>Errors</summary><p>${errorsOf(operation)}</p></details>
<details><summary>Try it</summary><pre>${escapeHtml(command(operation))}</pre></details>`;
}

function fieldTable({ input, path, method, headers, bodyTypes }: Operation): string {
  const inPath = new Set(pathParameters(path));
  const required = new Set((input.required as string[] | undefined) ?? []);
  const takesBody = method !== 'GET' && method !== 'DELETE' && bodyTypes === undefined;
  const headerOf = new Map(Object.entries(headers ?? {}).map(([header, field]) => [field, header]));
  const fields = Object.entries(input.properties as Record<string, Operation['output'] & { description?: string }>);
  if (fields.length === 0) return '';
  const rows = fields.map(([field, schema]) => {
    const header = headerOf.has(field) ? `, or header <code>${headerOf.get(field)}</code>` : '';
    const where = `${inPath.has(field) ? 'path' : takesBody ? 'body' : 'query'}${header}`;
    const must = required.has(field) || inPath.has(field) ? '' : ' <span class="soft">optional</span>';
    const text = [describeType(schema), schema.description].filter((part) => part !== undefined).map(escapeHtml);
    return `<tr><td><code>${escapeHtml(field)}</code>${must}</td><td>${where}</td><td>${text.join('. ')}</td></tr>`;
  });
  return `<table><thead><tr><th>Field</th><th>In</th><th>Meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

/** A table has one line for a field; what lies in lists and objects is shown here. */
function bodyOutline({ input, method, bodyTypes }: Operation): string {
  if (method === 'GET' || method === 'DELETE' || bodyTypes !== undefined) return '';
  const outline = outlineSchema(input);
  if (!/\n {4}/.test(outline)) return '';
  return `<details><summary>Fields within fields</summary><pre>${escapeHtml(outline)}</pre></details>\n`;
}

function eventNote({ events }: Operation): string {
  return events ? `<p>Events: ${events.map((event) => `<code>${escapeHtml(event)}</code>`).join(', ')}.</p>` : '';
}

function errorsOf({ permission, errors }: Operation): string {
  const everywhere = permission === 'public' ? [] : (['invalid_request', 'unauthenticated', 'forbidden'] as const);
  const codes = [...new Set([...everywhere, ...errors])];
  if (codes.length === 0) return 'None of its own.';
  return codes
    .map((code) => `${errorCatalogue[code].status}&nbsp;<a href="#error-${code}"><code>${code}</code></a>`)
    .join(' &middot; ');
}

const asPerson = '-H "Cookie: $DAMASK_COOKIE" -H "Sec-Fetch-Site: same-origin" -H "Damask-CSRF: $DAMASK_CSRF"';

function command({ method, path, permission, input }: Operation): string {
  const example = path.replace(/\{(\w+)\}/g, (_, name: string) => sampleOf[name] ?? `NAME_OF_${name.toUpperCase()}`);
  const required = ((input.required as string[] | undefined) ?? []).filter((name) => !path.includes(`{${name}}`));
  const takesBody = method !== 'GET' && method !== 'DELETE';
  const body = Object.fromEntries(required.map((name) => [name, '...']));
  return [
    `curl -s ${method === 'GET' ? '' : `-X ${method} `}"$DAMASK_URL${example}"`,
    ...(permission === 'public'
      ? []
      : [permission === 'account' ? asPerson : '-H "Authorization: Bearer $DAMASK_API_KEY"']),
    ...(takesBody ? [`-H "Content-Type: application/json" -d '${JSON.stringify(body)}'`] : []),
  ].join(' \\\n  ');
}

const sampleOf: Readonly<Record<string, string>> = { pattern: 'summarize', version: '1', label: 'stable' };

function errorTable(): string {
  const rows = Object.entries(errorCatalogue).map(
    ([code, { status, title }]) =>
      `<tr id="error-${code}"><td><code>${code}</code></td><td>${status}</td><td>${escapeHtml(title)}</td></tr>`,
  );
  return `<h2 id="errors">Errors</h2><table><thead><tr><th>Code</th><th>Status</th><th>Meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}
