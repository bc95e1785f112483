/** One setting: where it comes from, what it means, how it is read. */
export interface Setting<Value> {
  readonly variable: string;
  readonly standard: Value;
  readonly help: string;
  readonly secret: boolean;
  /** `raw` is a string of the environment, a value of the file, or undefined. */
  read(raw: unknown): { readonly value: Value } | { readonly problem: string };
}

type Parse<Value> = (raw: unknown) => { readonly value: Value } | { readonly problem: string };

function define<Value>(
  variable: string,
  standard: Value,
  help: string,
  parse: Parse<Value>,
  isSecret = false,
): Setting<Value> {
  const read: Parse<Value> = (raw) => (raw === undefined || raw === null ? { value: standard } : parse(raw));
  return { variable, standard, help, secret: isSecret, read };
}

const parseText: Parse<string> = (raw) =>
  typeof raw === 'string' && raw.trim() !== '' ? { value: raw.trim() } : { problem: 'must be text' };

export const text = (variable: string, standard: string, help: string) => define(variable, standard, help, parseText);

export const optional = (variable: string, help: string) =>
  define<string | undefined>(variable, undefined, help, parseText);

export const secret = (variable: string, help: string) =>
  define<string | undefined>(variable, undefined, help, parseText, true);

/** Text that `fits`; `words` say to the person whose value does not what it must be. */
export const optionalOf = (variable: string, fits: (text: string) => boolean, words: string, help: string) =>
  define<string | undefined>(variable, undefined, help, (raw) => {
    const read = parseText(raw);
    return 'value' in read && fits(read.value) ? read : { problem: `must be ${words}` };
  });

export function isAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

export const address = (variable: string, help: string) =>
  optionalOf(variable, isAddress, 'an address such as https://api.example.com/v1', help);

type Range = readonly [least: number, most: number];

const parseInteger =
  ([least, most]: Range): Parse<number> =>
  (raw) => {
    const value = typeof raw === 'number' ? raw : /^\d{1,12}$/.test(String(raw)) ? Number(raw) : Number.NaN;
    const fits = Number.isInteger(value) && value >= least && value <= most;
    return fits ? { value } : { problem: `must be a whole number from ${least} to ${most}` };
  };

export const integer = (variable: string, standard: number, range: Range, help: string) =>
  define(variable, standard, help, parseInteger(range));

export const optionalInteger = (variable: string, range: Range, help: string) =>
  define<number | undefined>(variable, undefined, help, parseInteger(range));

export function flag(variable: string, standard: boolean, help: string) {
  return define(variable, standard, help, (raw) => {
    const word = String(raw).toLowerCase();
    if (['true', '1', 'on', 'yes'].includes(word)) return { value: true };
    if (['false', '0', 'off', 'no'].includes(word)) return { value: false };
    return { problem: 'must be true or false' };
  });
}

export function choice<Option extends string>(
  variable: string,
  standard: Option,
  options: readonly Option[],
  help: string,
) {
  return define<Option>(variable, standard, help, (raw) => {
    const value = options.find((option) => option === raw);
    return value === undefined ? { problem: `must be one of ${options.join(', ')}` } : { value };
  });
}

export function list(variable: string, fits: (item: string) => boolean, words: string, help: string) {
  return define<readonly string[]>(variable, [], help, (raw) => {
    const given = Array.isArray(raw) ? raw.map(String) : String(raw).split(',');
    const items = given.map((item) => item.trim()).filter((item) => item !== '');
    const wrong = items.find((item) => !fits(item));
    return wrong === undefined ? { value: items } : { problem: `must be ${words}; "${wrong}" is none` };
  });
}

/** `https://app.example.com`: a scheme, a host and perhaps a port, as browsers send it; or `*`. */
export function isOrigin(text: string): boolean {
  return text === '*' || (URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text);
}
