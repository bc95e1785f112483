import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatCost, formatCount } from '../figures.ts';
import { printList } from '../print-list.ts';

export const models = defineCommand({
  name: 'models',
  usage: '[flags]',
  about:
    'Lists the models that a run can name with -m. Prices are US dollars for a million tokens; one that nobody knows is\n' +
    'unknown, and so are the costs of its runs. AS OF is the day of the price: `own` where it was entered here.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: ['damask models', 'damask run summarize -m openai/gpt-5-mini < mail.txt'],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    const { items } = await damask.models.list();
    await printList(terminal, flags.json, items, {
      columns: [
        { title: 'MODEL', least: 20 },
        { title: 'STATE' },
        { title: 'CONTEXT', right: true, drop: 1 },
        { title: 'IN', right: true, drop: 0 },
        { title: 'OUT', right: true, drop: 0 },
        { title: 'CACHED', right: true, drop: -2 },
        { title: 'AS OF', drop: -1 },
        { title: 'NOTE', least: 12, drop: 2 },
      ],
      row: (model) => [
        { text: model.name, style: 'cyan' },
        model.ready
          ? { text: model.default ? 'default' : 'ready', style: 'green' }
          : { text: 'not ready', style: 'yellow' },
        formatCount(model.context_window),
        formatCost(model.input_price),
        formatCost(model.output_price),
        formatCost(model.cached_input_price ?? null),
        model.price_as_of ?? (model.price_source === null ? '-' : 'own'),
        model.note ?? '',
      ],
      empty:
        'There is no model yet. `damask model pull` fetches a small local one; or give the server OPENAI_API_KEY, another key, or Ollama.',
    });
  },
});
