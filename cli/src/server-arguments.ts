import type { Flags } from './command.ts';

/** Flags of the commands that the server's own executable carries out on this machine. */
export const configFlag = {
  config: { type: 'string', value: '<file>', completes: 'files', help: "The server's settings, as in `damask serve`." },
} as const satisfies Flags;

export const executableFlags = {
  ...configFlag,
  json: { type: 'boolean', help: 'Print one JSON object a line: progress, then the outcome.' },
} as const satisfies Flags;

export const baseFlag = {
  base: {
    type: 'string',
    multiple: true,
    value: '<backup>',
    completes: 'files',
    help: 'An older backup, where it is not beside this one.',
  },
} as const satisfies Flags;

/** Writes flags as the server's executable takes them. */
export function serverArguments(flags: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    if (value === true) return [`--${name}`];
    const values = Array.isArray(value) ? value : typeof value === 'string' ? [value] : [];
    return values.flatMap((one) => [`--${name}=${one}`]);
  });
}
