import type { PutProviderInput } from '@damask/sdk';
import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { parseLimits, parseOffers } from '../provider-values.ts';
import { readSecret } from '../read-secret.ts';
import { UsageError } from '../usage-error.ts';

/** Where the vendors are, for those who name no address. */
const vendors: Readonly<Record<string, Pick<PutProviderInput, 'protocol' | 'base_url'>>> = {
  openai: { protocol: 'openai', base_url: 'https://api.openai.com/v1' },
  anthropic: { protocol: 'anthropic', base_url: 'https://api.anthropic.com/v1' },
  gemini: { protocol: 'gemini', base_url: 'https://generativelanguage.googleapis.com/v1beta' },
  mistral: { protocol: 'openai', base_url: 'https://api.mistral.ai/v1' },
  groq: { protocol: 'openai', base_url: 'https://api.groq.com/openai/v1' },
  deepseek: { protocol: 'openai', base_url: 'https://api.deepseek.com' },
  cohere: { protocol: 'cohere', base_url: 'https://api.cohere.com/v2' },
  openrouter: { protocol: 'openai', base_url: 'https://openrouter.ai/api/v1' },
};
const protocols = [
  'openai',
  'anthropic',
  'gemini',
  'azure',
  'ollama',
  'bedrock',
  'vertex',
  'cohere',
  'mistral',
] as const;

const flags = {
  protocol: { type: 'string', value: '<protocol>', help: `One of ${protocols.join(', ')}; openai where nobody says.` },
  'base-url': { type: 'string', value: '<address>', help: 'Where it is; known for the usual vendors.' },
  'api-version': { type: 'string', value: '<version>', help: 'Of Azure.' },
  'key-env': { type: 'string', value: '<variable>', help: 'Take the key from this environment variable.' },
  'key-stdin': { type: 'boolean', help: 'Take the key from the standard input.' },
  'no-key': { type: 'boolean', help: 'It needs none, or keeps the one that it has; do not ask.' },
  model: {
    type: 'string',
    multiple: true,
    value: '<id[=in/out[/cached]]>',
    help: 'A model, with its prices in dollars for a million tokens. May be repeated.',
  },
  limit: {
    type: 'string',
    multiple: true,
    value: '<what=number>',
    help: 'concurrency, rpm or tpm (requests, tokens a minute), such as rpm=60; 0 is no limit. May be repeated.',
  },
  fallback: {
    type: 'string',
    multiple: true,
    value: '<provider/model>',
    help: 'Where its runs go when it fails and their pattern names nothing. May be repeated.',
  },
  ...jsonFlag,
  ...reasonFlag,
  ...serverFlags,
} as const;

export const providersAdd = defineCommand({
  name: 'providers add',
  usage: '<name> [flags]',
  about:
    'Adds a provider of models to the workspace, or changes what the flags name of one. The key is asked for, unseen; it\n' +
    'is never an argument, where other users of the machine could see it. What the provider has is asked of it.',
  flags,
  positionals: [1, 1],
  examples: [
    'damask providers add anthropic',
    'damask providers add anthropic --key-env ANTHROPIC_API_KEY',
    'damask providers add lab --base-url https://llm.example.org/v1 --model big=0.5/1.5 --limit concurrency=8 < key.txt --key-stdin',
    'damask providers add anthropic --no-key --fallback openai/gpt-5-mini --limit rpm=500',
  ],
  async run({ flags, positionals, terminal, connect }) {
    const name = positionals[0] ?? '';
    const protocol = protocols.find((one) => one === flags.protocol);
    if (flags.protocol !== undefined && !protocol) {
      throw new UsageError(`--protocol is one of ${protocols.join(', ')}, not '${flags.protocol}'.`);
    }
    const models = parseOffers(flags.model);
    const limits = parseLimits(flags.limit);
    const { damask } = await connect();
    const { items } = await damask.providers.list();
    const before = items.find((provider) => provider.name === name && provider.origin === 'workspace');
    const known = before?.base_url ? { protocol: before.protocol, base_url: before.base_url } : vendors[name];
    const base_url = flags['base-url'] ?? known?.base_url;
    if (base_url === undefined) {
      throw new UsageError(
        `Where is it? For example: damask providers add ${name} --base-url https://llm.example.org/v1`,
      );
    }
    const api_key = await readSecret(terminal, {
      what: 'key',
      env: flags['key-env'],
      stdin: flags['key-stdin'],
      none: flags['no-key'],
      known: before !== undefined,
      kept: before?.has_key ?? false,
    });
    const chosen = protocol ?? known?.protocol;
    const provider = await damask.providers.put({
      provider: name,
      base_url,
      ...(chosen ? { protocol: chosen } : {}),
      ...(flags['api-version'] === undefined ? {} : { api_version: flags['api-version'] }),
      ...(api_key === undefined ? {} : { api_key }),
      ...(models ? { models } : {}),
      ...(limits ? { limits } : {}),
      ...(flags.fallback?.length ? { fallbacks: [...flags.fallback] } : {}),
    });
    if (flags.json) return terminal.print(JSON.stringify(provider, null, 2));
    await terminal.print(`Provider ${provider.name} speaks ${provider.protocol} at ${provider.base_url}.`);
    if (items.some(({ name: other, origin }) => other === name && origin !== 'workspace')) {
      const keyless = provider.has_key ? '' : ' It has no key of its own yet.';
      terminal.note(`It hides the ${name} of the server's settings from this workspace, the key too.${keyless}`);
    }
    const listed =
      provider.offered === null
        ? 'It does not say which models it has.'
        : `It lists ${provider.offered.length} models.`;
    terminal.note(`${listed} Try it: damask providers test ${provider.name}`);
  },
});
