import type { Answer } from './model-answer.ts';
import type { ModelRequest } from './model-call.ts';

/** How one vendor is spoken to: how a request is written and what its answers mean. Holds no state of a call. */
export interface Protocol {
  readonly headers: Readonly<Record<string, string>>;
  /** Server-sent events, or lines of JSON. */
  readonly framing: 'events' | 'lines';
  /** The stream has no last event of its own: a stop reason and the end of the connection are its end. */
  readonly endsWithConnection: boolean;
  /** What an answer has at least, for messages. */
  readonly essence: string;
  /** Throws `attachment_not_supported` and `invalid_request` for what the vendor cannot take. */
  write(request: ModelRequest): { readonly path: string; readonly body: string };
  /** Reads what is no JSON, or needs no reading; true when that was all. */
  readMark?(data: string, answer: Answer): boolean;
  /** Reads one document of a stream. Unknown ones are passed over. */
  readEvent(document: object, answer: Answer, request: ModelRequest): void;
  /** Reads a whole answer; false when it is none of this protocol. */
  readWhole(document: object, answer: Answer, request: ModelRequest): boolean;
}
