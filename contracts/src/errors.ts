/** Groups of codes; the status belongs to each code. */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'limit'
  | 'unavailable'
  | 'internal';

export interface ErrorEntry {
  readonly kind: ErrorKind;
  readonly status: number;
  readonly title: string;
}

/** Every code that can leave the platform. Codes are stable: clients and operators search for them. */
export const errorCatalogue = {
  invalid_request: { kind: 'invalid', status: 400, title: 'The request is not valid' },
  invalid_cursor: { kind: 'invalid', status: 400, title: 'The cursor is not one of this list' },
  two_credentials: { kind: 'invalid', status: 400, title: 'More than one credential was sent' },
  key_in_query: { kind: 'invalid', status: 400, title: 'A key must not be sent in the address' },
  missing_variable: { kind: 'invalid', status: 400, title: 'A variable of the pattern has no value' },
  invalid_variable: { kind: 'invalid', status: 400, title: 'A variable has a value that its type does not allow' },
  unauthenticated: { kind: 'unauthenticated', status: 401, title: 'A valid API key is needed' },
  invalid_sign_in: { kind: 'invalid', status: 400, title: 'The sign-in cannot be finished' },
  sign_in_refused: { kind: 'unauthenticated', status: 401, title: 'The sign-in was refused' },
  forbidden: { kind: 'forbidden', status: 403, title: 'The role does not allow this' },
  sso_required: { kind: 'forbidden', status: 403, title: 'The workspace asks for another way to sign in' },
  csrf: { kind: 'forbidden', status: 403, title: 'The request did not come from our own page' },
  authorization_revoked: { kind: 'forbidden', status: 403, title: 'Who queued the run may run nothing any more' },
  not_found: { kind: 'not-found', status: 404, title: 'There is nothing here' },
  workspace_shredded: { kind: 'not-found', status: 410, title: 'The keys of the workspace were destroyed' },
  model_not_found: { kind: 'not-found', status: 404, title: 'No provider offers this model' },
  method_not_allowed: { kind: 'invalid', status: 405, title: 'The address does not take this method' },
  request_timeout: { kind: 'invalid', status: 408, title: 'The request did not arrive in time' },
  already_exists: { kind: 'conflict', status: 409, title: 'The name is taken' },
  version_conflict: { kind: 'conflict', status: 409, title: 'The pattern has a newer version' },
  batch_finished: { kind: 'conflict', status: 409, title: 'The batch has already ended' },
  run_finished: { kind: 'conflict', status: 409, title: 'The run has already ended' },
  not_released: { kind: 'conflict', status: 409, title: 'Nothing is released to this environment' },
  idempotency_in_progress: { kind: 'conflict', status: 409, title: 'The run of this key has not ended' },
  payload_gone: { kind: 'conflict', status: 409, title: 'The texts of the run are no longer kept' },
  on_hold: { kind: 'conflict', status: 409, title: 'A legal hold keeps this' },
  subject_erasing: { kind: 'conflict', status: 409, title: 'The end user is being erased' },
  run_not_failed: { kind: 'conflict', status: 409, title: 'The run has not failed' },
  not_waiting: { kind: 'conflict', status: 409, title: 'The run waits for no decision' },
  run_cancelled: { kind: 'conflict', status: 409, title: 'The run was cancelled' },
  not_approved: { kind: 'conflict', status: 409, title: 'A step was not approved' },
  precondition_failed: { kind: 'conflict', status: 412, title: 'It is not what you read' },
  too_large: { kind: 'limit', status: 413, title: 'The body is too large' },
  unsupported_media_type: { kind: 'invalid', status: 415, title: 'The content type is not accepted' },
  idempotency_key_reused: { kind: 'invalid', status: 422, title: 'The key came with another request' },
  policy_refused: { kind: 'invalid', status: 422, title: "The platform's rules refuse this" },
  invalid_pattern: { kind: 'invalid', status: 422, title: 'The pattern is not valid' },
  invalid_tree: { kind: 'invalid', status: 422, title: 'The folder cannot be imported' },
  invalid_batch: { kind: 'invalid', status: 422, title: 'The batch holds lines that cannot be run' },
  invalid_archive: { kind: 'invalid', status: 422, title: 'The archive cannot be read' },
  invalid_repository: { kind: 'invalid', status: 422, title: 'The git repository cannot be read' },
  in_use: { kind: 'conflict', status: 409, title: 'Another process uses this' },
  session_busy: { kind: 'conflict', status: 409, title: 'Another run is under way in the session' },
  import_conflict: { kind: 'conflict', status: 409, title: 'The import would overwrite local edits' },
  capability_disabled: { kind: 'invalid', status: 422, title: 'The pattern needs a capability that is off' },
  egress_denied: { kind: 'invalid', status: 422, title: 'The address is not allowed' },
  secret_required: { kind: 'invalid', status: 422, title: 'The secret must be entered again' },
  input_too_long: { kind: 'invalid', status: 422, title: 'The input does not fit the model' },
  session_too_long: { kind: 'limit', status: 422, title: 'The session has grown too long' },
  attachment_not_supported: { kind: 'invalid', status: 422, title: 'The model does not take this attachment' },
  rate_limited: { kind: 'limit', status: 429, title: 'Too many requests' },
  budget_exceeded: { kind: 'limit', status: 429, title: 'The budget is used up' },
  price_unknown: { kind: 'invalid', status: 422, title: 'The price of the model is not known' },
  headers_too_large: { kind: 'limit', status: 431, title: 'The headers are too large' },
  internal: { kind: 'internal', status: 500, title: 'Something failed on our side' },
  provider_error: { kind: 'unavailable', status: 502, title: 'The provider failed' },
  provider_protocol_error: { kind: 'unavailable', status: 502, title: "The provider's answer could not be read" },
  provider_auth: { kind: 'unavailable', status: 502, title: 'The provider refused its key' },
  truncated: { kind: 'unavailable', status: 502, title: "The provider's answer was cut off" },
  invalid_output: {
    kind: 'unavailable',
    status: 502,
    title: 'The answer does not have the form that the pattern asks for',
  },
  output_blocked: { kind: 'invalid', status: 422, title: 'A check of the pattern holds the answer back' },
  content_refused: { kind: 'invalid', status: 422, title: 'The provider refuses this content' },
  interrupted: { kind: 'unavailable', status: 502, title: 'The platform stopped during the run' },
  gave_up: { kind: 'unavailable', status: 502, title: 'The run was given up' },
  timeout: { kind: 'unavailable', status: 504, title: 'The run took longer than it may' },
  no_model: { kind: 'unavailable', status: 503, title: 'No model is available' },
  provider_busy: { kind: 'unavailable', status: 503, title: 'The provider asks to wait' },
  overloaded: { kind: 'unavailable', status: 503, title: 'The platform is busy' },
  unavailable: { kind: 'unavailable', status: 503, title: 'A part of the platform is not available' },
  unrecorded: { kind: 'unavailable', status: 503, title: 'The run could not be recorded' },
  slow_consumer: { kind: 'limit', status: 503, title: 'The client read too slowly' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCatalogue;
