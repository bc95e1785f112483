/** Tells how a backup or a restore goes: a line that is written over on a terminal, a JSON object a line for programs. */
export interface BackupProgressLine {
  /** `share` is at most 1. */
  tell(doing: string, fields: { readonly table: string; readonly bytes: number }, share: number): void;
  end(): void;
}

const everyMs = 200;

export function createBackupProgress(options: {
  json: boolean;
  terminal: boolean;
  write: (text: string) => void;
  monotonic: () => number;
}): BackupProgressLine {
  const { json, terminal, write, monotonic } = options;
  let last = Number.NEGATIVE_INFINITY;
  let shown = false;
  return {
    tell(doing, fields, share) {
      const now = monotonic();
      if ((!json && !terminal) || now - last < everyMs) return;
      last = now;
      if (json) write(`${JSON.stringify({ event: 'progress', ...fields, share: Math.round(share * 1000) / 1000 })}\n`);
      else {
        shown = true;
        const percent = Math.floor(Math.min(share, 0.99) * 100);
        write(`\r\u001b[K${doing} ${String(percent).padStart(2)} %  ${inBytes(fields.bytes)}  ${fields.table}`);
      }
    },
    end() {
      if (shown) write('\r\u001b[K');
    },
  };
}

const units = ['bytes', 'KB', 'MB', 'GB', 'TB'];

/** `1.2 GB`, by thousands. */
export function inBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}
