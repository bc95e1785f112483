/** A hold as it is stored. */
export interface HoldRow {
  readonly name: string;
  readonly reason: string;
  /** HMAC. */
  readonly subject: string | null;
  /** Sealed. */
  readonly subject_name: Buffer | null;
  readonly pattern: string | null;
  readonly since: Date | null;
  readonly until: Date | null;
  readonly placed_at: Date;
  readonly placed_by: string;
}

/** What a hold may cover. */
export interface Holdable {
  readonly subject?: string | null;
  readonly pattern?: string | null;
  /** When it was accepted; two times for what lasted. */
  readonly from: Date;
  readonly to: Date;
}

/** The first hold of which all that it names holds of this. */
export function holdOn(holds: readonly HoldRow[], { subject, pattern, from, to }: Holdable): HoldRow | undefined {
  return holds.find(
    (hold) =>
      (hold.subject === null || hold.subject === subject) &&
      (hold.pattern === null || hold.pattern === pattern) &&
      (hold.since === null || to >= hold.since) &&
      (hold.until === null || from < hold.until),
  );
}
