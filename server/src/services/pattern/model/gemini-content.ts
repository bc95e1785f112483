import { createPort, type PortOptions } from './chat-port.ts';
import { readContent } from './gemini-answer.ts';
import { type GeminiDialect, toContentBody } from './gemini-request.ts';
import type { ModelPort } from './model-call.ts';

export interface GeminiOptions extends PortOptions, GeminiDialect {
  readonly provider: string;
  /** Path before `/models`, such as `/v1beta`. */
  readonly basePath: string;
  readonly apiKey: string | null;
}

/** Google's own protocol for Gemini. Its streams have no last event: a finish reason and the connection's end are the end. */
export function createGeminiContent(options: GeminiOptions): ModelPort {
  const { apiKey, basePath } = options;
  return createPort(options, {
    headers: { 'content-type': 'application/json', ...(apiKey === null ? {} : { 'x-goog-api-key': apiKey }) },
    framing: 'events',
    endsWithConnection: true,
    essence: 'candidates',
    write: (request) => ({
      path: `${basePath}/models/${encodeURIComponent(request.model)}:${request.stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
      body: toContentBody(request, options),
    }),
    readEvent: readContent,
    readWhole(document, answer) {
      return readContent(document, answer) && (answer.reported !== undefined || hasCandidate(document));
    },
  });
}

function hasCandidate(document: object): boolean {
  const { candidates } = document as { candidates?: unknown };
  return Array.isArray(candidates) && candidates.length > 0;
}
