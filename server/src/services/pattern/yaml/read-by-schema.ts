import { isMap, isScalar, isSeq, type Node } from 'yaml';
import { quoteText } from '../library/quote-text.ts';
import { nameClosest } from './name-closest.ts';
import { booleanOf, entriesOf, itemsOf, jsonOf, numberOf, textOf, type YamlSource } from './read-yaml.ts';

/** The part of JSON Schema that the description of pattern.yaml uses. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly (string | number)[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly const?: string | number;
  readonly lines?: boolean;
  readonly json?: boolean;
  readonly named?: string;
}

/** Where a value stood, for what only the whole file can tell. Keyed by its path: `output/schema`, `tools/0/parameters`. */
export type Places = Map<string, Node>;

/**
 * Reads a node as the schema describes it; `what` names it in messages. Refusals go to `source`; what was refused is left out or
 * undefined, so that everything that is wrong is told at once.
 */
export function readBySchema(
  source: YamlSource,
  node: Node | null,
  schema: object,
  { what, path = '', places }: { readonly what: string; readonly path?: string; readonly places: Places },
): unknown {
  if (node) places.set(path, node);
  return read(node, schema as Schema, what, path);

  function read(at: Node | null, rule: Schema, name: string, where: string): unknown {
    if (at) places.set(where, at);
    if (rule.json) return jsonOf(source, at, name);
    if (rule.enum) return readWord(at, rule.enum, name);
    if (rule.anyOf) return readChoice(at, rule.anyOf, name, where);
    if (Array.isArray(rule.type) || rule.type === 'string') return readText(at, rule, name);
    if (rule.type === 'array') return readList(at, rule, name, where);
    if (rule.type === 'object') return readMapping(at, rule, name, where);
    if (rule.type === 'boolean') return booleanOf(source, at, name);
    return readNumber(at, rule, name);
  }

  function readText(at: Node | null, rule: Schema, name: string): string | undefined {
    const value = textOf(source, at, name, rule.maxLength ?? 1000, rule.lines);
    if (value === undefined) return undefined;
    const trimmed = rule.minLength === undefined ? value : value.trim();
    if (trimmed.length < (rule.minLength ?? 0)) return source.refuse(at, `${name} must not be empty`);
    if (rule.pattern !== undefined && !new RegExp(rule.pattern, 'u').test(trimmed)) {
      return source.refuse(at, `${name} ${quoteText(trimmed, 60)} ${formOf(rule)}`);
    }
    return trimmed;
  }

  function readWord(at: Node | null, words: readonly (string | number)[], name: string): unknown {
    const text = textOf(source, at, name, 100);
    const found = words.find((word) => String(word) === text);
    if (found !== undefined || text === undefined) return found;
    const known = words.map(String);
    return source.refuse(at, `${name} must be one of ${known.join(', ')}${nameClosest(text, known)}`);
  }

  function readNumber(at: Node | null, rule: Schema, name: string): number | undefined {
    const number = numberOf(source, at, name);
    if (number === undefined) return undefined;
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = rule;
    const whole = rule.type === 'integer';
    if ((!whole || Number.isSafeInteger(number)) && number >= minimum && number <= maximum) return number;
    return source.refuse(at, `${name} must be a ${whole ? 'whole ' : ''}number from ${minimum} to ${maximum}`);
  }

  function readList(at: Node | null, rule: Schema, name: string, where: string): unknown[] | undefined {
    const items = itemsOf(source, at, name);
    if (!items) return undefined;
    const { minItems = 0, maxItems = 100 } = rule;
    if (items.length < minItems || items.length > maxItems) {
      source.refuse(at, `${name} must hold ${minItems === 0 ? 'at most' : `${minItems} to`} ${maxItems} entries`);
    }
    return items
      .slice(0, maxItems)
      .map((item, index) => read(item, rule.items ?? {}, `entry ${index + 1} of ${name}`, `${where}/${index}`))
      .filter((item) => item !== undefined);
  }

  function readMapping(at: Node | null, rule: Schema, name: string, where: string): object | undefined {
    const entries = entriesOf(source, at, name);
    if (!entries) return undefined;
    const [byPattern] = Object.entries(rule.patternProperties ?? {});
    const { maxProperties = 100 } = rule;
    if (byPattern && entries.length > maxProperties) source.refuse(at, `at most ${maxProperties} ${name} are allowed`);
    const known = Object.keys(rule.properties ?? {});
    const kind = rule.named?.split(':')[0]?.slice(2) ?? 'variable';
    const found = new Map<string, unknown>();
    for (const { key, keyNode, value } of entries.slice(0, byPattern ? maxProperties : undefined)) {
      const property = byPattern?.[1] ?? (known.includes(key) ? rule.properties?.[key] : undefined);
      if (!property || (byPattern && !new RegExp(byPattern[0], 'u').test(key))) {
        const shown = quoteText(key, 60);
        if (byPattern) source.refuse(keyNode, `${shown} cannot name ${rule.named ?? aVariable}`);
        else
          source.refuse(
            keyNode,
            `${shown} is not a key of ${name}${nameClosest(key, known)}. Known: ${known.join(', ')}`,
          );
        continue;
      }
      const place = where === '' ? key : `${where}/${key}`;
      places.set(`${place}#key`, keyNode);
      const inner = read(value, property, byPattern ? `the ${kind} ${key}` : key, place);
      if (inner !== undefined) found.set(key, inner);
    }
    for (const key of rule.required ?? []) {
      if (!entries.some((entry) => entry.key === key)) source.refuse(at, `${name} needs ${key}`);
    }
    return Object.fromEntries(found);
  }

  // Each choice of pattern.yaml is told apart by the kind of its node.
  function readChoice(at: Node | null, choices: readonly Schema[], name: string, where: string): unknown {
    if (choices.every((choice) => choice.const !== undefined)) {
      const words = choices.map((choice) => choice.const as string | number);
      return readWord(at, words, name);
    }
    const empty = at === null || (isScalar(at) && at.value === null);
    if (empty && choices.some((choice) => choice.type === 'null')) return null;
    const kind = isMap(at) ? 'object' : isSeq(at) ? 'array' : 'string';
    const fits = choices.find(({ type }) => type === kind || (kind === 'string' && Array.isArray(type)));
    return read(at, fits ?? (choices[0] as Schema), name, where);
  }
}

const aVariable = 'a variable: use letters, digits, _ and - (at most 100)';

function formOf({ pattern = '' }: Schema): string {
  if (pattern.includes('/')) return 'must be written as provider/model, such as openai/gpt-5-mini';
  if (pattern.startsWith('^[A-Za-z]{2,3}')) return 'must be a language in BCP 47, such as de or pt-BR';
  if (pattern.includes('\\\\')) return 'must be a path with / between names';
  return 'holds a character that is not allowed; use letters, digits, _ and -';
}
