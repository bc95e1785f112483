/** A cost in millionths of a US dollar; null is not known, which is not 0. */
export function formatCost(micros: number | null): string {
  if (micros === null) return 'unknown';
  if (micros === 0) return '$0';
  const digits = (micros / 1_000_000).toFixed(6).replace(/0+$/, '');
  return `$${/\.\d\d/.test(digits) ? digits : Number(digits).toFixed(2)}`;
}

/** What many runs cost together, `unpriced` of which nobody knows the price. */
export function formatSum(micros: number, unpriced: number): string {
  if (unpriced === 0) return formatCost(micros);
  return micros === 0 ? formatCost(null) : `${formatCost(micros)} and more`;
}

/** Milliseconds, with as many figures as a person reads. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return '-';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 100_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}

export function formatCount(count: number | null): string {
  return count === null ? '-' : String(count);
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(0)} KiB`;
  if (bytes < 1024 ** 3) return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

/** A time in the reader's own zone, to the minute. */
export function formatTime(time: string | null): string {
  if (time === null) return '-';
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return time;
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** `1 pattern`, `2 patterns`. */
export function formatNumber(count: number, noun: string): string {
  const plural = noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${count} ${count === 1 ? noun : plural}`;
}
