/** Where a backup goes. Nothing can be seen under its name before `finish`. */
export interface Destination {
  /** For people. */
  readonly name: string;
  write(bytes: Buffer): Promise<void>;
  finish(): Promise<void>;
  /** Leaves nothing behind, as far as that can be done. */
  abort(): Promise<void>;
}

/** Where a backup comes from. */
export interface Source {
  readonly name: string;
  readonly size: number;
  /** Exactly these bytes. */
  read(offset: number, length: number): Promise<Buffer>;
  /** Everything from there on. */
  stream(offset: number): AsyncIterable<Buffer>;
  /** Another backup beside this one, as far as there is one. */
  beside(name: string): Promise<Source | undefined>;
  close(): Promise<void>;
}
