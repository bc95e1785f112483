import type { ProviderProtocol } from '@damask/contracts/model.ts';
import type { Egress } from '#platform/egress/egress.ts';

export interface AskedProvider {
  readonly protocol: ProviderProtocol;
  readonly baseUrl: string;
  readonly apiKey: string | null;
  /** The operator named it; never for what a user entered. */
  readonly trusted: boolean;
}

const mostOffered = 1_000;
/** A list of a thousand models has a few hundred thousand. Reading more at once would hold up everybody else. */
const mostBytes = 1024 * 1024;
const modelId = /^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}$/;

/**
 * What a provider says that it has, at most a thousand names. Null when it does not say: not every one can be asked, and
 * Azure lists what it sells instead of what is deployed, and vendors of the add-on are not asked. Throws what the egress throws when it cannot be reached.
 */
export async function askOffered(egress: Egress, provider: AskedProvider, totalMs: number): Promise<string[] | null> {
  const asked = toQuestion(provider);
  if (asked === null) return null;
  const { status, body } = await egress.request(asked.url, {
    headers: { accept: 'application/json', ...asked.headers },
    trusted: provider.trusted,
    // A key must not follow a redirect.
    redirects: 0,
    maxBytes: mostBytes,
    totalMs,
  });
  if (status !== 200) return null;
  return readNames(body);
}

function toQuestion({
  protocol,
  baseUrl,
  apiKey,
}: AskedProvider): { url: string; headers: Record<string, string> } | null {
  const url = new URL(baseUrl);
  const path = url.pathname.replace(/\/+$/, '');
  switch (protocol) {
    case 'azure':
    case 'bedrock':
    case 'vertex':
    case 'cohere':
    case 'mistral':
      return null;
    case 'ollama':
      return { url: `${url.origin}${path.replace(/\/(v1|api)$/, '')}/api/tags`, headers: bearer(apiKey) };
    case 'anthropic':
      return {
        url: `${url.origin}${path || '/v1'}/models?limit=1000`,
        headers: { 'anthropic-version': '2023-06-01', ...(apiKey === null ? {} : { 'x-api-key': apiKey }) },
      };
    case 'gemini':
      return {
        url: `${url.origin}${path || '/v1beta'}/models?pageSize=1000`,
        headers: apiKey === null ? {} : { 'x-goog-api-key': apiKey },
      };
    default:
      return { url: `${url.origin}${path}/models`, headers: bearer(apiKey) };
  }
}

const bearer = (apiKey: string | null): Record<string, string> =>
  apiKey === null ? {} : { authorization: `Bearer ${apiKey}` };

/** `data` of OpenAI and Anthropic, `models` of Ollama and Gemini; some answer the bare list. */
function readNames(body: Buffer): string[] | null {
  let document: unknown;
  try {
    document = JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
  const { data, models } = (document ?? {}) as { data?: unknown; models?: unknown };
  const list = [data, models, document].find(Array.isArray) as unknown[] | undefined;
  if (list === undefined) return null;
  const names = new Set<string>();
  for (const entry of list) {
    const { id, name } = (entry ?? {}) as { id?: unknown; name?: unknown };
    const told = typeof id === 'string' ? id : name;
    const bare = typeof told === 'string' ? told.replace(/^models\//, '') : '';
    if (modelId.test(bare)) names.add(bare);
    if (names.size === mostOffered) break;
  }
  return [...names];
}
