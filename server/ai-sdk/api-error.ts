/** An answer other than 200, in the form that OpenAI's clients read. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly retryAfter: string | null;

  constructor(status: number, code: string, message: string, retryAfter: string | null = null) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** The body of an error answer and of an error within a stream. */
export function errorBody(error: ApiError): object {
  const type = error.status < 500 ? 'invalid_request_error' : 'server_error';
  return { error: { message: error.message, type, param: null, code: error.code } };
}

const mostText = 500;

/** What failed in a vendor's package: the vendor's own status and words where it answered. Never holds a request or a key. */
export function toApiError(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause;
  const { statusCode, responseHeaders, message, name } = (cause ?? {}) as {
    statusCode?: unknown;
    responseHeaders?: Readonly<Record<string, string>>;
    message?: unknown;
    name?: unknown;
  };
  const text = String(message ?? 'The vendor failed.').slice(0, mostText);
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 600) {
    return new ApiError(statusCode, 'vendor_error', text, responseHeaders?.['retry-after'] ?? null);
  }
  if (name === 'AI_UnsupportedFunctionalityError' || name === 'AI_InvalidPromptError') {
    return new ApiError(400, 'unsupported', text);
  }
  return new ApiError(502, 'vendor_unreachable', text);
}
