import type { LocalModelState } from './services/pattern/model/local/local-model.ts';

export interface Ready {
  readonly url: string;
  readonly instance: string;
  readonly dataDir: string | null;
  /** Shown once. */
  readonly ownerKey: string | null;
  readonly credentials: string | null;
  readonly model: string | null;
  readonly milliseconds: number;
}

/** Tells whoever started the server how it goes: sentences for people, one JSON object a line for programs. */
export interface Announce {
  ready(ready: Ready): void;
  /** A process without the edge is ready. */
  serving(services: string, address: string): void;
  alreadyRunning(url: string, pid: number): void;
  model(state: LocalModelState): void;
  /** The local model's file has been fetched. */
  pulled(path: string): void;
  error(code: string, message: string): void;
  stopping(): void;
}

export function createAnnounce(options: { json: boolean; write: (text: string) => void; terminal: boolean }): Announce {
  return options.json ? forPrograms(options.write) : forPeople(options.write, options.terminal);
}

function forPrograms(write: (text: string) => void): Announce {
  const say = (event: string, fields: object) => write(`${JSON.stringify({ event, ...fields })}\n`);
  return {
    ready: ({ url, instance, model }) => say('ready', { url, instance, model }),
    serving: (services, address) => say('serving', { services, address }),
    alreadyRunning: (url, pid) => say('already-running', { url, pid }),
    model: (state) => say('model', state),
    pulled: (path) => say('model', { state: 'ready', path }),
    error: (code, message) => say('error', { code, message }),
    stopping: () => say('stopping', {}),
  };
}

function forPeople(write: (text: string) => void, terminal: boolean): Announce {
  let lastPercent = -1;
  const ending = false;
  const bold = (text: string) => (terminal ? `\u001b[1m${text}\u001b[22m` : text);
  return {
    ready(ready) {
      const lines = [
        '',
        `${bold('Damask is ready')} after ${(ready.milliseconds / 1000).toFixed(1)} s`,
        '',
        `  Address  ${ready.url}`,
        ...(ready.dataDir === null ? [] : [`  Data     ${ready.dataDir}`]),
        ...(ready.ownerKey === null ? [] : [`  Key      ${ready.ownerKey}   (the owner's; shown this once)`]),
        ...(ready.credentials === null ? [] : [`  Kept in  ${ready.credentials}, where the command line finds it`]),
        `  Model    ${ready.model ?? 'none yet: see `npx damask doctor`'}`,
        '',
        'In a second shell:',
        '',
        '  npx damask run summarize < README.md',
        '',
        'Ctrl-C stops it.',
        '',
      ];
      write(lines.join('\n'));
    },
    serving: (services, address) => write(`Damask serves ${services}${address && ` at ${address}`}.\n`),
    alreadyRunning: (url, pid) =>
      write(
        `Damask is already running on this data at ${url} (process ${pid}). Use it as it is, or stop that one first.\n`,
      ),
    model(state) {
      if (ending) return;
      if (state.state !== 'fetching') {
        if (terminal && lastPercent >= 0) write('\n');
        lastPercent = -1;
        if (state.state === 'ready') write('The local model is ready.\n');
        if (state.state === 'failed') write(`The local model is not available: ${state.reason}\n`);
        return;
      }
      if (state.phase === 'verifying') return;
      const percent = state.total ? Math.floor((100 * (state.received ?? 0)) / state.total) : 0;
      if (percent === lastPercent || (!terminal && percent < lastPercent + 10)) return;
      lastPercent = percent;
      write(terminal ? `\r${progressBar(percent)}` : `Fetching the local model: ${percent}%\n`);
    },
    pulled(path) {
      if (terminal && lastPercent >= 0) write('\n');
      write(`The local model is at ${path}.\n`);
    },
    error: (_, message) => write(`${message}\n`),
    stopping: () =>
      write(
        `${terminal && lastPercent >= 0 ? '\n' : ''}Stopping: running requests may end first. Ctrl-C again stops at once.\n`,
      ),
  };
}

function progressBar(percent: number): string {
  const full = Math.floor(percent / 4);
  return `Fetching the local model [${'#'.repeat(full)}${'.'.repeat(25 - full)}] ${String(percent).padStart(3)}%`;
}
