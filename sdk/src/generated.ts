// Generated from the contracts by `npm run generate`. Do not edit.

/** Stable codes of errors that the server answers with. */
export type ErrorCode =
  | 'invalid_request'
  | 'invalid_cursor'
  | 'two_credentials'
  | 'key_in_query'
  | 'missing_variable'
  | 'invalid_variable'
  | 'unauthenticated'
  | 'invalid_sign_in'
  | 'sign_in_refused'
  | 'forbidden'
  | 'sso_required'
  | 'csrf'
  | 'authorization_revoked'
  | 'not_found'
  | 'workspace_shredded'
  | 'model_not_found'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'already_exists'
  | 'version_conflict'
  | 'batch_finished'
  | 'run_finished'
  | 'not_released'
  | 'idempotency_in_progress'
  | 'payload_gone'
  | 'on_hold'
  | 'subject_erasing'
  | 'run_not_failed'
  | 'not_waiting'
  | 'run_cancelled'
  | 'not_approved'
  | 'precondition_failed'
  | 'too_large'
  | 'unsupported_media_type'
  | 'idempotency_key_reused'
  | 'policy_refused'
  | 'invalid_pattern'
  | 'invalid_tree'
  | 'invalid_batch'
  | 'invalid_archive'
  | 'invalid_repository'
  | 'in_use'
  | 'session_busy'
  | 'import_conflict'
  | 'capability_disabled'
  | 'egress_denied'
  | 'secret_required'
  | 'input_too_long'
  | 'session_too_long'
  | 'attachment_not_supported'
  | 'rate_limited'
  | 'budget_exceeded'
  | 'price_unknown'
  | 'headers_too_large'
  | 'internal'
  | 'provider_error'
  | 'provider_protocol_error'
  | 'provider_auth'
  | 'truncated'
  | 'invalid_output'
  | 'output_blocked'
  | 'content_refused'
  | 'interrupted'
  | 'gave_up'
  | 'timeout'
  | 'no_model'
  | 'provider_busy'
  | 'overloaded'
  | 'unavailable'
  | 'unrecorded'
  | 'slow_consumer';

/** One page of a list. `next` is the cursor of the next page and absent on the last one. */
export interface Page<Row> {
  readonly items: readonly Row[];
  readonly next?: string | undefined;
}

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly email: string | null;
}

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** One of viewer, runner, author, operator, admin, owner, or custom: with the name of a role of the workspace. */
  readonly role: string;
  /** The first characters, enough to recognise a key by. */
  readonly prefix: string;
  readonly scopes: readonly PermissionName[] | null;
  readonly patterns: readonly string[] | null;
  readonly environments: readonly string[] | null;
  readonly requests_per_minute: number | null;
  /** The member whose key it is: it never holds more than that member does, and ends with the membership. */
  readonly member: string | null;
  /** The service account whose key it is: it never holds more than that one does, and ends with it. */
  readonly service_account: string | null;
  readonly created_at: string;
  readonly created_by: string | null;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  /** To the minute, and up to two minutes late. */
  readonly last_used_at: string | null;
}

export interface Attachment {
  readonly type: AttachmentType;
  /** The name of the file, without its folder. */
  readonly name: string;
  /** Of images and PDF it is read from the bytes; one that says otherwise is refused. */
  readonly media_type?: string | undefined;
  /** Base64. */
  readonly data?: string | undefined;
  readonly text?: string | undefined;
}

export type AttachmentType = 'image' | 'pdf' | 'text';

export interface Attempt {
  readonly number: number;
  readonly model: string;
  readonly outcome: 'succeeded' | 'failed' | 'cancelled' | 'uncertain';
  readonly code: string | null;
  /** HTTP status of the provider. */
  readonly provider_status: number | null;
  readonly first_output_ms: number | null;
  readonly total_ms: number | null;
}

export interface AuditCheckpoint {
  readonly seq: number;
  readonly hash: string;
  readonly at: string;
  /** RFC 8785 JSON: kind, workspace, seq, hash, at, previous. */
  readonly body: string;
  /** Id of the signing key. */
  readonly key: string;
  /** Ed25519 over the bytes of `body`, base64. */
  readonly signature: string;
}

export interface AuditEntry {
  readonly workspace: string;
  /** Place in the chain of the workspace, without gaps. */
  readonly seq: number;
  readonly id: string;
  /** When the change was begun, RFC 3339 with microseconds, UTC. */
  readonly at: string;
  /** Which part of the platform wrote it. */
  readonly service: string;
  readonly actor: {
    readonly kind: string;
    readonly id: string;
    /** The member behind it, where there is one. */
    readonly account: string | null;
  };
  /** api_key, login_session, token, system or none; null for rows of older versions. */
  readonly auth: string | null;
  /** Name of the operation. */
  readonly action: string;
  /** What it was done to, as kind/name. */
  readonly subject: string;
  readonly outcome: AuditOutcome;
  /** Digest of what it was. */
  readonly before: string | null;
  /** Digest of what it became. */
  readonly after: string | null;
  /** Where the caller was. */
  readonly address: string | null;
  readonly request_id: string;
  /** What the caller gave in Damask-Reason. */
  readonly reason: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  /** Hash of the entry before; 64 zeros for the first. */
  readonly previous: string;
  /** SHA-256 of `previous`, as bytes, and of the entry as RFC 8785 writes it. */
  readonly hash: string;
}

export interface AuditKey {
  readonly id: string;
  /** Ed25519, SPKI DER in base64. */
  readonly public_key: string;
  readonly from: string;
  readonly until: string | null;
}

export type AuditOutcome = 'done' | 'refused';

export interface Batch {
  readonly id: string;
  readonly status: BatchStatus;
  /** Why it is paused or was stopped. */
  readonly reason: string | null;
  readonly pattern: string;
  /** Pinned when the batch was accepted. */
  readonly version: number;
  readonly digest: string;
  readonly environment: string | null;
  readonly label: string | null;
  /** Null: as each run finds it. */
  readonly model: string | null;
  readonly strategy: string | null;
  readonly context: string | null;
  readonly parameters: Parameters | null;
  /** Of asynchronous runs: interactive ones go before bulk ones. */
  readonly priority: RunPriority;
  readonly concurrency: number | null;
  readonly accept: 'all' | 'valid';
  readonly on_error: 'go_on' | 'stop';
  /** Identical lines run once and share the answer. */
  readonly deterministic: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly actor: string;
  readonly created_at: string;
  readonly data_class: DataClass;
  readonly start_at: string | null;
  readonly deadline: string | null;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly lines: {
    /** All of them, the rejected ones too. */
    readonly total: number;
    /** They cannot be run: `errors` tells why. */
    readonly rejected: number;
    /** No run has begun. */
    readonly waiting: number;
    /** A run is queued or under way. */
    readonly running: number;
    /** With those that share an answer. */
    readonly succeeded: number;
    /** Their run failed. */
    readonly failed: number;
    /** They were not run, or were broken off. */
    readonly cancelled: number;
    /** Succeeded or failed as an identical earlier line did. */
    readonly shared: number;
  };
  /** Lines that end in a second, of late. */
  readonly rate: number | null;
  readonly estimated_end: string | null;
  readonly usage: {
    readonly input_tokens: number;
    readonly output_tokens: number;
  };
  readonly cost_micros: number;
  /** Lines whose cost is not known; it is missing in `cost_micros`. */
  readonly unpriced: number;
  readonly currency: 'USD';
  /** Nothing was stored: no batch has this id. */
  readonly dry_run?: true | undefined;
  /** The answer of an earlier request with the same key. */
  readonly replayed?: true | undefined;
}

export interface BatchItem {
  /** May be left out where the pattern takes variables only. */
  readonly input?: string | undefined;
  readonly variables?: Readonly<Record<string, string>> | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export interface BatchLineError {
  /** In the upload, from 1; of inline items their number, from 1. */
  readonly line: number;
  /** Character in the line, from 1. */
  readonly column: number | null;
  readonly status: 'rejected' | 'failed';
  readonly code: string;
  readonly detail: string;
  /** Field of the line. */
  readonly pointer: string | null;
  readonly run: string | null;
}

export type BatchStatus = 'queued' | 'running' | 'paused' | 'cancelling' | 'finished' | 'stopped' | 'cancelled';

export interface Budget {
  readonly name: string;
  /** What it limits: all runs of the workspace, or those of one API key, pattern or environment. */
  readonly covers: BudgetCovers;
  /** Id of the key, or name; null for the workspace. */
  readonly of: string | null;
  /** By UTC, from midnight to midnight; a call counts where it was reserved. */
  readonly period: BudgetPeriod;
  /** Null: no limit of this kind. */
  readonly limit_micros: number | null;
  /** Null: no limit of this kind. */
  readonly limit_tokens: number | null;
  readonly spent_micros: number;
  readonly spent_tokens: number;
  /** What calls under way may still cost, and what processes hold ready. */
  readonly reserved_micros: number;
  readonly reserved_tokens: number;
  /** Null: no limit of this kind. */
  readonly left_micros: number | null;
  /** Null: no limit of this kind. */
  readonly left_tokens: number | null;
  readonly currency: 'USD';
  readonly period_start: string;
  readonly resets_at: string;
  readonly updated_at: string;
}

export type BudgetCovers = 'workspace' | 'key' | 'pattern' | 'environment';

export type BudgetPeriod = 'day' | 'month';

export type Capability = 'images' | 'pdf' | 'json_schema' | 'tools' | 'reasoning';

export interface ChainStep {
  readonly name: string;
  /** Null: the step waits for a person. */
  readonly pattern: string | null;
  readonly version: number | null;
  readonly label: string | null;
  /** Steps that end before it begins. */
  readonly needs: readonly string[];
  /** Texts and references as they were written; an empty line goes between them. */
  readonly input: readonly string[];
  readonly variables: Readonly<Record<string, readonly string[]>>;
  readonly when: readonly StepCondition[];
  readonly for_each: string | null;
  readonly max_items: number;
  readonly parallel: number;
  readonly map_reduce: {
    readonly size: number;
    readonly overlap: number;
    readonly reduce: {
      readonly pattern: string;
      readonly version: number | null;
      readonly label: string | null;
      readonly variables: Readonly<Record<string, readonly string[]>>;
    };
  } | null;
  readonly retry: {
    readonly times: number;
    readonly wait_ms: number;
  };
  readonly timeout_ms: number | null;
  readonly on_error: 'fail' | 'skip' | {
    readonly output: string;
    readonly data?: unknown | undefined;
  };
  readonly approval: {
    /** Texts and references as they were written; an empty line goes between them. */
    readonly message: readonly string[];
    readonly timeout_seconds: number;
    readonly on_timeout: 'approve' | 'reject';
  } | null;
  readonly model: string | null;
  readonly parameters: Parameters;
}

export type ContentPart = {
  readonly type: 'text';
  readonly text: string;
} | {
  readonly type: 'image';
  readonly media_type: string;
  readonly data: string;
} | {
  readonly type: 'document';
  readonly media_type: 'application/pdf';
  readonly name: string;
  readonly data: string;
};

export interface Context {
  readonly name: string;
  /** Size of the text in UTF-8. */
  readonly bytes: number;
  readonly updated_at: string;
  readonly content: string;
}

export interface ContextSummary {
  readonly name: string;
  /** Size of the text in UTF-8. */
  readonly bytes: number;
  readonly updated_at: string;
}

export type DataClass = 'public' | 'internal' | 'confidential' | 'personal';

export interface DataKeyRotation {
  /** The version of the data key that everything is sealed with in the end. */
  readonly version: number;
  /** waiting: all is sealed anew; one more look follows once no process can seal with an older version any more. */
  readonly state: 'running' | 'waiting' | 'finished';
  /** How often all sealed columns were read; the last pass finds nothing to do. */
  readonly pass: number;
  readonly started_at: string;
  readonly finished_at: string | null;
  /** Of this pass. */
  readonly rows: number;
  readonly rows_left: number;
  /** That do not open: damaged, or sealed by a lost key. Older versions of the key stay then. */
  readonly rows_failed: number;
  readonly rows_per_second: number | null;
  /** An estimate; null where there is nothing to go by yet. */
  readonly ends_at: string | null;
}

export interface DataKeyVersion {
  readonly version: number;
  /** Id of the key-encryption key that wraps it. */
  readonly wrapped_by: string;
  readonly created_at: string;
}

export interface Deprecation {
  /** The pattern to use instead. */
  readonly successor: string | null;
  readonly message: string | null;
  readonly at: string;
}

export type DetectorKind = 'secret' | 'card' | 'email' | 'phone' | 'iban';

export interface Encryption {
  /** The key-encryption key, which wraps new data keys. */
  readonly key: {
    readonly source: 'file' | 'environment' | 'vault' | 'aws';
    readonly id: string;
    /** Where its keeper counts them. */
    readonly version: number | null;
    /** False: it cannot be used now; what is in memory serves for 10 minutes. */
    readonly healthy: boolean;
  };
  /** Of the data key of the workspace, the newest first. */
  readonly versions: readonly DataKeyVersion[];
  /** When a new version is due: 90 days after the last one. */
  readonly due_at: string | null;
  /** The last one. */
  readonly rotation: DataKeyRotation | null;
}

export interface Erasure {
  readonly id: string;
  /** done: a search afterwards found nothing. held: a legal hold came in between, and what it covers stays. */
  readonly state: 'running' | 'done' | 'held';
  /** The hold that stopped it. */
  readonly hold: string | null;
  readonly removed: {
    /** Runs whose texts, metadata and subject were taken away. */
    readonly runs: number;
    readonly steps: number;
    /** Pieces of output that were still being said. */
    readonly pieces: number;
    readonly turns: number;
    readonly batch_lines: number;
    /** Timers that named the subject; they are deleted. */
    readonly timers: number;
    /** Keys of the subject: 1 where its personal texts were sealed with one. */
    readonly keys: number;
  };
  /** Runs of the subject that had not ended. */
  readonly cancelled: number;
  readonly started_at: string;
  readonly finished_at: string | null;
}

export interface EvidenceFile {
  /** Its place in the archive. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface EvidenceSeal {
  readonly id: string;
  readonly at: string;
  /** RFC 8785 JSON: kind, id, workspace (id, name), actor (kind, id, account), at, since, until, audit (seq and hash of the end of the audit log), files. */
  readonly body: string;
  /** Id of the signing key, one of those of the audit log. */
  readonly key: string;
  /** Ed25519 over the line `damask evidence seal 1`, its line end and the bytes of `body`, base64. */
  readonly signature: string;
}

export interface FileDiff {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Lines that are new. */
  readonly added: number;
  /** Lines that are gone. */
  readonly removed: number;
  /** Unified, with three lines around each change. */
  readonly diff: string;
  /** The diff is longer than what is shown. */
  readonly cut: boolean;
}

export interface HandChange {
  readonly subject: string;
  readonly what: 'changed' | 'added' | 'removed';
  /** The digest that the log said last. */
  readonly audited: string | null;
  /** The digest of what is there. */
  readonly found: string | null;
}

export interface IdentityProvider {
  readonly name: string;
  readonly id: string;
  /** Its address, as it names itself in its tokens; https, or http on this machine. */
  readonly issuer: string;
  readonly client_id: string;
  /** The one algorithm that its tokens may be signed with. */
  readonly algorithm: 'RS256' | 'PS256' | 'ES256' | 'ES384' | 'EdDSA';
  /** Asked for beside openid. */
  readonly scopes: readonly string[];
  /** Where its tokens name the groups of a person. */
  readonly groups_claim: string;
  /** The first group that a person is in gives the role, at each sign-in anew. */
  readonly roles: readonly {
    readonly group: string;
    /** One of viewer, runner, author, operator, admin, owner, or custom: with the name of a role of the workspace. */
    readonly role: string;
  }[];
  /** For people in none of these groups; null keeps them out. */
  readonly default_role: string | null;
  readonly email_domains: readonly string[];
  /** Members whose address is of these domains act here only when they signed in by this provider. */
  readonly sso_only: boolean;
  /** What tokens of machines are made out to; null takes none. Never the client_id. */
  readonly audience: string | null;
  readonly machines: readonly {
    /** What the token says in azp or client_id. */
    readonly client: string;
    /** As whom it then acts. */
    readonly service_account: string;
  }[];
  readonly has_secret: boolean;
  /** Where people begin to sign in; null until DAMASK_PUBLIC_URL is set. */
  readonly login_url: string | null;
  /** To be entered at the provider. */
  readonly redirect_uri: string | null;
  readonly updated_at: string;
}

export type ImportOutcome = 'new' | 'same' | 'changed' | 'conflict' | 'kept' | 'replaced' | 'refused';

export interface ImportReport {
  /** False for a dry run. */
  readonly committed: boolean;
  readonly source: {
    readonly origin?: string | undefined;
    /** The git commit that was read: the same every time. */
    readonly commit?: string | undefined;
  };
  readonly patterns: readonly {
    readonly name: string;
    readonly outcome: ImportOutcome;
    readonly version: number | null;
    readonly variables: readonly string[];
    readonly literal_tokens: readonly string[];
    readonly disabled_capabilities: readonly string[];
    /** What an author should look at. */
    readonly warnings?: readonly PatternWarning[] | undefined;
    /** Why it was refused, though the rest was imported: a secret in it. */
    readonly detail?: string | undefined;
    /** Of a conflict in a dry run: what would replace the newest version. Left out past 256 KiB in all. */
    readonly incoming?: readonly {
      readonly path: string;
      readonly content: string;
    }[] | undefined;
  }[];
  readonly strategies: readonly {
    readonly name: string;
    readonly outcome: ImportOutcome;
    readonly detail?: string | undefined;
  }[];
  /** What was left out; at most 1,000 are listed. */
  readonly ignored: readonly {
    readonly path: string;
    readonly reason: string;
  }[];
  readonly ignored_total: number;
}

export interface Invitation {
  readonly id: string;
  readonly email: string | null;
  readonly name: string | null;
  /** One of viewer, runner, author, operator, admin, owner, or custom: with the name of a role of the workspace. */
  readonly role: string;
  readonly state: 'open' | 'accepted' | 'expired' | 'revoked';
  readonly created_at: string;
  /** Who invites, and must still be allowed to when it is accepted. */
  readonly created_by: string;
  readonly expires_at: string;
  readonly accepted_at: string | null;
  /** Who became a member by it. */
  readonly member: string | null;
  readonly revoked_at: string | null;
}

export interface KeptAttachment {
  readonly type: AttachmentType;
  readonly name: string;
  readonly media_type: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Whether the bytes are kept. */
  readonly kept: boolean;
}

export interface LabelMove {
  readonly label: string;
  /** Null: there was no such label. */
  readonly before: number | null;
  /** Null: the label was removed. */
  readonly after: number | null;
  readonly moved_at: string;
  readonly moved_by: string | null;
  /** The name that the key or member had. */
  readonly author: string | null;
}

export interface LegalHold {
  readonly name: string;
  readonly reason: string;
  /** What is about this end user. */
  readonly subject: string | null;
  /** What runs of this pattern left. */
  readonly pattern: string | null;
  /** What was accepted from here on. */
  readonly since: string | null;
  /** What was accepted before. */
  readonly until: string | null;
  readonly placed_at: string;
  readonly placed_by: string;
}

export interface LoginSession {
  readonly id: string;
  readonly kind: 'browser' | 'cli';
  /** link, passkey, invitation, or the identity provider that was asked. */
  readonly way: string;
  readonly user_agent: string;
  /** Where the sign-in came from. */
  readonly address: string;
  readonly created_at: string;
  /** When it was last used, to a few minutes. */
  readonly seen_at: string;
  /** When it ends in any case; without use it ends earlier. */
  readonly expires_at: string;
}

export interface Me {
  readonly workspace: Workspace;
  readonly actor: {
    readonly kind: 'key' | 'member' | 'service_account';
    readonly id: string;
    readonly name: string;
    /** One of viewer, runner, author, operator, admin, owner, or custom: with the name of a role of the workspace. */
    readonly role: string;
    /** The member behind it, where there is one. */
    readonly account: string | null;
  };
  readonly permissions: readonly PermissionName[];
  /** The only patterns it reaches; null for all. */
  readonly patterns: readonly string[] | null;
  /** The only environments it reaches; null for all. */
  readonly environments: readonly string[] | null;
  /** Teams that the member belongs to. */
  readonly teams: readonly string[];
}

export interface Member {
  /** Of the account, which may be a member elsewhere too. */
  readonly id: string;
  readonly name: string;
  readonly email: string | null;
  /** One of viewer, runner, author, operator, admin, owner, or custom: with the name of a role of the workspace. */
  readonly role: string;
  readonly teams: readonly string[];
  readonly source: MemberSource;
  /** The account cannot sign in, and its keys are refused. */
  readonly disabled: boolean;
  readonly created_at: string;
}

export type MemberSource = 'local' | 'invitation' | 'oidc' | 'scim';

export interface Membership {
  readonly id: string;
  readonly name: string;
  /** One of viewer, runner, author, operator, admin, owner, or custom: with the name of a role of the workspace. */
  readonly role: string;
}

export interface Message {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string | readonly ContentPart[];
  readonly tool_calls?: readonly ToolCall[] | undefined;
  readonly tool_call_id?: string | undefined;
}

export type MissedTicks = 'skip' | 'last' | 'all';

export interface Model {
  /** provider/model */
  readonly name: string;
  readonly provider: string;
  readonly default: boolean;
  readonly ready: boolean;
  /** Why it is not ready, or what is unverified. */
  readonly note: string | null;
  readonly context_window: number | null;
  readonly max_output: number | null;
  /** Null: not known, which is not 0. */
  readonly input_price: number | null;
  readonly output_price: number | null;
  readonly cached_input_price: number | null;
  readonly cache_write_price: number | null;
  readonly price_source: 'workspace' | 'operator' | 'catalogue' | null;
  /** Day on which the vendor's page was read. */
  readonly price_as_of: string | null;
  /** Null: not known. */
  readonly capabilities: readonly Capability[] | null;
}

export interface ModelOffer {
  readonly id: string;
  readonly context_window?: number | undefined;
  readonly max_output?: number | undefined;
  readonly input_price?: number | undefined;
  readonly output_price?: number | undefined;
  readonly cached_input_price?: number | undefined;
  readonly cache_write_price?: number | undefined;
  readonly concurrency?: number | undefined;
}

export interface NamedExpression {
  /** Stands in the place of what is taken out: [name]. */
  readonly name: string;
  /** A regular expression without look-around and back references. */
  readonly expression: string;
}

export interface NewApiKey {
  readonly id: string;
  readonly name: string;
  /** One of viewer, runner, author, operator, admin, owner, or custom: with the name of a role of the workspace. */
  readonly role: string;
  /** The first characters, enough to recognise a key by. */
  readonly prefix: string;
  readonly scopes: readonly PermissionName[] | null;
  readonly patterns: readonly string[] | null;
  readonly environments: readonly string[] | null;
  readonly requests_per_minute: number | null;
  /** The member whose key it is: it never holds more than that member does, and ends with the membership. */
  readonly member: string | null;
  /** The service account whose key it is: it never holds more than that one does, and ends with it. */
  readonly service_account: string | null;
  readonly created_at: string;
  readonly created_by: string | null;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  /** To the minute, and up to two minutes late. */
  readonly last_used_at: string | null;
  /** Shown this once; only its hash is kept. */
  readonly key: string;
}

export type OnFail = 'block' | 'flag' | 'mask';

export type OnUncertain = 'retry' | 'fail' | 'review';

export interface OutputCheck {
  readonly name: string;
  readonly detect: readonly DetectorKind[];
  readonly words: readonly string[];
  readonly expressions: readonly string[];
  /** It gives away the instructions of the pattern. */
  readonly prompt_leak: boolean;
  /** block: the run fails. flag: it is noted on the run. mask: what was found is taken out. */
  readonly on_fail: OnFail;
}

export type OutputType = 'markdown' | 'text' | 'json';

export interface Parameters {
  readonly temperature?: number | undefined;
  readonly top_p?: number | undefined;
  readonly presence_penalty?: number | undefined;
  readonly frequency_penalty?: number | undefined;
  readonly max_tokens?: number | undefined;
  readonly seed?: number | undefined;
  readonly reasoning_effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | undefined;
  readonly stop?: readonly string[] | undefined;
}

export interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly created_at: string;
  readonly used_at: string | null;
}

export interface PasskeyMade {
  /** As the browser names it. */
  readonly id: string;
  /** base64url, without padding. */
  readonly client_data: string;
  /** base64url, without padding. */
  readonly attestation_object: string;
  readonly transports?: readonly string[] | undefined;
}

export interface PasskeyOptions {
  /** For navigator.credentials, as JSON. */
  readonly options: Readonly<Record<string, unknown>>;
  /** As it was answered with the options. */
  readonly state: string;
}

export interface PasskeyUsed {
  /** As the browser names it. */
  readonly id: string;
  /** base64url, without padding. */
  readonly client_data: string;
  /** base64url, without padding. */
  readonly authenticator_data: string;
  /** base64url, without padding. */
  readonly signature: string;
}

export interface Pattern {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** The newest published version. */
  readonly version: number;
  readonly digest: string;
  /** Label to version. */
  readonly labels: Readonly<Record<string, number>>;
  readonly variables: readonly Variable[];
  readonly disabled_capabilities: readonly string[];
  readonly deprecated: Deprecation | null;
  /** Owns it: only its members and holders of team:write change it. */
  readonly team: string | null;
  readonly source: Source;
  readonly created_at: string;
  readonly updated_at: string;
  readonly deleted_at: string | null;
  /** What an author should look at; told where a version is made or read. */
  readonly warnings?: readonly PatternWarning[] | undefined;
}

export interface PatternExample {
  readonly name: string | null;
  /** Null: it is in `file`. */
  readonly input: string | null;
  /** Path of the file that holds the input. */
  readonly file: string | null;
  readonly variables: Readonly<Record<string, string>>;
  /** A good answer. */
  readonly output: string | null;
}

export interface PatternFile {
  /** Relative, with / between segments. */
  readonly path: string;
  /** UTF-8 text, kept byte for byte. */
  readonly content: string;
}

export interface PatternInclude {
  readonly pattern: string;
  /** Null: the whole text. */
  readonly section: string | null;
  readonly version: number;
  readonly digest: string;
  /** The included patterns that lead to this one; empty for a direct one. */
  readonly through: readonly string[];
}

export interface PatternVersion {
  readonly pattern: string;
  readonly version: number;
  readonly digest: string;
  readonly labels: readonly string[];
  readonly message: string | null;
  readonly source: Source;
  readonly created_at: string;
  readonly created_by: string | null;
  /** Name of the key or member that published it. */
  readonly author: string | null;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly model: string | null;
  readonly parameters: Parameters;
  readonly owner: string | null;
  /** BCP 47: the language of the answer. */
  readonly language: string | null;
  /** 2: blocks and includes are read. */
  readonly template: 1 | 2;
  /** What runs without a model use; `model` is the first. */
  readonly models: readonly WeightedModel[];
  /** Tried in this order after them. */
  readonly fallbacks: readonly string[];
  readonly output: {
    readonly type: OutputType;
    readonly schema: Readonly<Record<string, unknown>> | null;
    readonly max_characters: number | null;
    /** Of a chain: the reference that gives its answer. */
    readonly from?: string | undefined;
  };
  readonly limits: {
    readonly input_characters: number | null;
    readonly timeout_ms: number | null;
  };
  readonly examples: readonly PatternExample[];
  readonly tools: readonly Tool[];
  readonly data_class: DataClass;
  /** What an answer must not hold. */
  readonly checks: readonly OutputCheck[];
  /** What is taken out of texts before they are stored. */
  readonly redact: Redaction | null;
  /** Input and values stand within a boundary that tells them from instructions. */
  readonly mark_input: boolean;
  /** none: inputs and outputs of runs are not stored. */
  readonly store: StoreTexts;
  /** What to do when a call went out and no verdict came back. */
  readonly on_uncertain: OnUncertain;
  readonly cache: {
    readonly ttl_seconds: number;
  } | null;
  readonly includes: readonly PatternInclude[];
  /** Of a chain, in an order in which they can run; else empty. */
  readonly steps: readonly ChainStep[];
  readonly variables: readonly Variable[];
  /** Template-like text that stays as it is. */
  readonly literal_tokens: readonly string[];
  /** Tokens that would need a capability that is off. */
  readonly disabled_capabilities: readonly string[];
  readonly files: readonly PatternFile[];
  /** What an author should look at; told where a version is made or read. */
  readonly warnings?: readonly PatternWarning[] | undefined;
}

export interface PatternWarning {
  readonly code: 'untrusted_in_system' | 'invisible_text';
  readonly file: string;
  readonly line: number;
  readonly detail: string;
}

export type PermissionName =
  | 'self:read'
  | 'workspace:read'
  | 'key:read'
  | 'key:write'
  | 'member:read'
  | 'member:write'
  | 'role:read'
  | 'role:write'
  | 'team:read'
  | 'team:write'
  | 'identity-provider:read'
  | 'identity-provider:write'
  | 'scim:write'
  | 'login-link:write'
  | 'encryption:read'
  | 'encryption:write'
  | 'audit:read'
  | 'evidence:write'
  | 'pattern:read'
  | 'pattern:write'
  | 'pattern:publish'
  | 'pattern:delete'
  | 'strategy:read'
  | 'strategy:write'
  | 'context:read'
  | 'context:write'
  | 'session:read'
  | 'session:write'
  | 'model:read'
  | 'provider:read'
  | 'provider:write'
  | 'egress:read'
  | 'budget:read'
  | 'budget:write'
  | 'redaction:write'
  | 'timer:read'
  | 'timer:write'
  | 'run:execute'
  | 'run:read'
  | 'run:cancel'
  | 'run:decide'
  | 'privacy:read'
  | 'privacy:write';

export interface Provider {
  readonly name: string;
  readonly origin: 'environment' | 'workspace' | 'local';
  readonly protocol: ProviderProtocol;
  readonly base_url: string | null;
  /** Of Azure; null: its current one. */
  readonly api_version: string | null;
  readonly has_key: boolean;
  readonly models: readonly ModelOffer[];
  /** What the provider itself said it has, when it was asked last. Null: it did not say. */
  readonly offered: readonly string[] | null;
  readonly limits: ProviderLimits;
  /** Models for runs of this provider whose version names none. */
  readonly fallbacks: readonly string[];
  readonly updated_at: string | null;
}

export interface ProviderHealth {
  readonly provider: string;
  readonly origin: 'environment' | 'workspace' | 'local';
  /** Of the circuit breakers of its models, the worst one; open: no call goes out. */
  readonly state: 'closed' | 'open' | 'half-open';
  /** Models whose breaker is not closed. */
  readonly models: readonly {
    readonly model: string;
    readonly state: 'open' | 'half-open' | 'closed';
    readonly retry_after_ms: number | null;
  }[];
  readonly key_refused: boolean;
  /** Until the next call may go out. */
  readonly retry_after_ms: number | null;
  readonly calls: number;
  readonly failures: number;
  readonly failure_share: number | null;
  readonly retries: number;
  readonly running: number;
  readonly waiting: number;
  /** Of the last 64 calls that succeeded. */
  readonly p50_ms: number | null;
  readonly last_error: {
    readonly code: string;
    readonly detail: string;
    readonly at: string;
  } | null;
}

export interface ProviderLimits {
  readonly concurrency: number | null;
  readonly requests_per_minute: number | null;
  readonly tokens_per_minute: number | null;
}

export type ProviderProtocol =
  | 'openai'
  | 'anthropic'
  | 'gemini'
  | 'azure'
  | 'ollama'
  | 'bedrock'
  | 'vertex'
  | 'cohere'
  | 'mistral';

export interface ProviderTest {
  readonly provider: string;
  readonly ok: boolean;
  /** provider/model that was called. */
  readonly model: string | null;
  readonly latency_ms: number | null;
  readonly usage: {
    readonly input_tokens: number | null;
    readonly output_tokens: number | null;
  };
  readonly cost_micros: number | null;
  /** Models that the provider lists; null: none told. */
  readonly offered: number | null;
  readonly error: {
    readonly code: string;
    readonly detail: string;
    readonly provider_status: number | null;
  } | null;
}

export interface Queue {
  /** At most 200,000 runs are counted in all. */
  readonly interactive: number;
  /** At most 200,000 runs are counted in all. */
  readonly bulk: number;
  /** At most 200,000 runs are counted in all. */
  readonly running: number;
  /** For a person. */
  readonly waiting: number;
  /** Queued runs that are executed at the same time, in all processes; null: what the platform allows. */
  readonly concurrency: number | null;
}

export interface Redaction {
  readonly kinds: readonly DetectorKind[];
  readonly expressions: readonly NamedExpression[];
  /** True: the model does not get to see it either. */
  readonly model: boolean;
}

export interface Removal {
  readonly id: string;
  readonly removed_at: string;
  readonly reason: 'retention' | 'erasure';
  /** runs: the texts of runs that have ended, of which the records stay. records: runs as a whole. batches: batches that have ended, with their lines. sessions: by their last turn. timer_ticks: kept for 90 days at most in any case. */
  readonly of: RetentionOf;
  /** Its texts were taken away; its rows were deleted; its whole week was dropped. */
  readonly way: 'shredded' | 'deleted' | 'dropped';
  readonly data_class: DataClass | null;
  readonly environment: string | null;
  readonly count: number;
  readonly oldest: string;
  readonly newest: string;
}

export interface Retention {
  /** No run of the workspace has a lower class than this. */
  readonly least_class: DataClass;
  /** The one that names most counts, a class more than an environment. What none covers is kept for ever. */
  readonly rules: readonly RetentionRule[];
  /** Null: nothing was ever set. */
  readonly updated_at: string | null;
}

export type RetentionOf = 'runs' | 'records' | 'batches' | 'sessions' | 'timer_ticks';

export interface RetentionRule {
  /** runs: the texts of runs that have ended, of which the records stay. records: runs as a whole. batches: batches that have ended, with their lines. sessions: by their last turn. timer_ticks: kept for 90 days at most in any case. */
  readonly of: RetentionOf;
  readonly data_class?: DataClass | undefined;
  readonly environment?: string | undefined;
  /** Whole days of 24 hours since it was accepted. */
  readonly days: number;
}

export interface RoleItem {
  /** One of viewer, runner, author, operator, admin, owner, or custom: with the name of a role of the workspace. */
  readonly role: string;
  readonly description: string;
  readonly permissions: readonly PermissionName[];
  /** A role of the platform, which cannot be changed. */
  readonly built_in: boolean;
  readonly created_at: string | null;
  readonly updated_at: string | null;
}

export interface Run {
  readonly id: string;
  readonly status: RunStatus;
  readonly pattern: string;
  readonly version: number;
  readonly digest: string;
  readonly environment: string | null;
  readonly label: string | null;
  readonly strategy: string | null;
  readonly context: string | null;
  readonly session: string | null;
  readonly language: string | null;
  readonly model: string;
  readonly stream: boolean;
  readonly actor: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly data_class: DataClass;
  /** Why there are no texts: the pattern stores none, their retention is over, or the end user was erased. */
  readonly texts?: TextsGone | undefined;
  readonly accepted_at: string;
  readonly finished_at: string | null;
  readonly rerun_of?: string | undefined;
  readonly batch?: string | undefined;
  /** The answer is that of an earlier run. */
  readonly cached?: true | undefined;
  readonly cached_from?: string | undefined;
  readonly stop_reason: string | null;
  readonly usage: Usage;
  /** Null: the price is not known. */
  readonly cost_micros: number | null;
  readonly currency: 'USD';
  readonly first_output_ms: number | null;
  readonly total_ms: number | null;
  readonly error: null | {
    readonly code: ErrorCode;
    readonly detail: string;
  };
  readonly queue?: RunQueue | undefined;
  /** What checks of the pattern found in the answer. */
  readonly flags?: readonly RunFlag[] | undefined;
  /** How often what was taken out of the stored texts, by kind. */
  readonly redacted?: Readonly<Record<string, number>> | undefined;
  readonly attempts: readonly Attempt[];
  /** The output held NUL or broken characters; each became U+FFFD. */
  readonly sanitised: boolean;
  readonly input: string | null;
  readonly variables: Readonly<Record<string, string>>;
  /** What was attached, without its bytes. */
  readonly attachments: readonly KeptAttachment[];
  /** Of a failed run: what arrived until then. */
  readonly output: string | null;
  /** What the model asks to be called; there when stop_reason is tool_calls. */
  readonly tool_calls?: readonly ToolCall[] | undefined;
  /** The output as a value, where the pattern asks for JSON. */
  readonly data?: unknown | undefined;
  readonly subject?: string | undefined;
  readonly steps?: StepCounts | undefined;
  /** The answer of an earlier request with the same key. */
  readonly replayed?: true | undefined;
  /** The pattern should not be used any more; told by the call that starts the run. */
  readonly deprecated?: {
    /** The pattern to use instead. */
    readonly successor: string | null;
    readonly message: string | null;
    readonly at: string;
  } | undefined;
}

export interface RunFlag {
  /** Name of the check in pattern.yaml. */
  readonly check: string;
  /** secret, card, email, phone, iban, words, expressions or prompt. */
  readonly found: string;
  /** How often. */
  readonly count: number;
  /** block: the run fails. flag: it is noted on the run. mask: what was found is taken out. */
  readonly action: OnFail;
  /** Of a chain: the step whose answer it was. */
  readonly step?: string | undefined;
}

export type RunPriority = 'interactive' | 'bulk';

export interface RunQueue {
  /** Of asynchronous runs: interactive ones go before bulk ones. */
  readonly priority: RunPriority;
  /** Not before; null while somebody is waited for. */
  readonly ready_at: string | null;
  readonly deadline: string | null;
  /** Processes that died with it since a step of it ended last. */
  readonly deliveries: number;
  /** What it waits for. */
  readonly why: string | null;
}

export type RunStatus = 'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'cancelled';

export interface RunStep {
  /** outline, sections[3], inner/draft, long/map[0], long/reduce1[0]; empty for a run that is no chain. */
  readonly path: string;
  /** Of steps that have not begun there is none. */
  readonly state: 'running' | 'waiting' | 'succeeded' | 'failed' | 'skipped';
  /** What a waiting step waits for; an approval asks in its output. */
  readonly waits_for: 'approval' | 'review' | 'retry' | null;
  /** For how long it waits at most. */
  readonly until: string | null;
  /** Null for an approval. */
  readonly pattern: string | null;
  /** The version that was pinned. */
  readonly version: number | null;
  readonly model: string | null;
  readonly attempts: readonly Attempt[];
  readonly usage: Usage;
  /** Null: not known. */
  readonly cost_micros: number | null;
  readonly error: null | {
    readonly code: ErrorCode;
    readonly detail: string;
  };
  readonly output: string | null;
  /** The output as a value, where its pattern answers JSON. */
  readonly data?: unknown | undefined;
  /** What checks of its pattern found in its answer. */
  readonly flags?: readonly RunFlag[] | undefined;
  readonly decision?: {
    readonly decision: 'approve' | 'reject' | 'retry' | 'fail';
    readonly comment: string | null;
    readonly actor: string;
    readonly at: string;
  } | undefined;
  readonly started_at: string | null;
  readonly finished_at: string | null;
}

export interface RunSummary {
  readonly id: string;
  readonly status: RunStatus;
  readonly pattern: string;
  readonly version: number;
  readonly digest: string;
  readonly environment: string | null;
  readonly label: string | null;
  readonly strategy: string | null;
  readonly context: string | null;
  readonly session: string | null;
  readonly language: string | null;
  readonly model: string;
  readonly stream: boolean;
  readonly actor: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly data_class: DataClass;
  /** Why there are no texts: the pattern stores none, their retention is over, or the end user was erased. */
  readonly texts?: TextsGone | undefined;
  readonly accepted_at: string;
  readonly finished_at: string | null;
  readonly rerun_of?: string | undefined;
  readonly batch?: string | undefined;
  /** The answer is that of an earlier run. */
  readonly cached?: true | undefined;
  readonly cached_from?: string | undefined;
  readonly stop_reason: string | null;
  readonly usage: Usage;
  /** Null: the price is not known. */
  readonly cost_micros: number | null;
  readonly currency: 'USD';
  readonly first_output_ms: number | null;
  readonly total_ms: number | null;
  readonly error: null | {
    readonly code: ErrorCode;
    readonly detail: string;
  };
  readonly queue?: RunQueue | undefined;
  /** What checks of the pattern found in the answer. */
  readonly flags?: readonly RunFlag[] | undefined;
  /** How often what was taken out of the stored texts, by kind. */
  readonly redacted?: Readonly<Record<string, number>> | undefined;
}

export interface ServiceAccount {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** One of viewer, runner, author, operator, admin, owner, or custom: with the name of a role of the workspace. */
  readonly role: string;
  readonly created_at: string;
  readonly created_by: string | null;
  readonly updated_at: string;
}

export interface Session {
  readonly name: string;
  readonly turns: number;
  /** Size of all turns in UTF-8. */
  readonly bytes: number;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface SettingChange {
  /** Such as parameters.temperature. */
  readonly field: string;
  /** JSON; null: it was not there. */
  readonly before: string | null;
  /** JSON; null: it is not there. */
  readonly after: string | null;
}

export interface Source {
  readonly kind: 'api' | 'starter' | 'import';
  /** Where an import came from: a folder or an address. */
  readonly origin?: string | undefined;
  /** The git commit that it was taken from. */
  readonly commit?: string | undefined;
  /** git's hash of system.md in that commit. */
  readonly blob?: string | undefined;
}

export interface StepCondition {
  readonly ref: string;
  readonly test: 'equals' | 'not_equals' | 'contains' | 'above' | 'below' | 'exists';
  readonly value: string | number | boolean;
}

export interface StepCounts {
  readonly calling: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  readonly waiting: number;
}

export type StoreTexts = 'all' | 'none';

export interface Strategy {
  readonly name: string;
  readonly description: string;
  readonly prompt: string;
  readonly updated_at: string;
}

export type SubjectRecord = {
  readonly kind: 'run';
  readonly run: Run;
  readonly steps: readonly RunStep[];
} | {
  readonly kind: 'turn';
  readonly session: string;
  readonly number: number;
  readonly role: TurnRole;
  readonly content: string;
  readonly run: string;
} | {
  readonly kind: 'batch_line';
  readonly batch: string;
  readonly line: number;
  readonly item: BatchItem;
} | {
  readonly kind: 'timer';
  readonly timer: string;
  readonly run: TimerRun;
};

export interface Team {
  readonly name: string;
  readonly description: string;
  /** How many there are. */
  readonly members: number;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface TeamMember {
  readonly id: string;
  readonly name: string;
}

export type TextsGone = 'not_stored' | 'expired' | 'erased';

export type TickOverlap = 'allow' | 'skip';

export type TickState = 'fired' | 'missed' | 'skipped' | 'failed';

export interface Timer {
  readonly name: string;
  readonly cron: string;
  readonly time_zone: string;
  /** Ticks that came due while nothing could fire them: none of them is fired, the newest one, or all of them (the newest 100 at most). */
  readonly missed: MissedTicks;
  /** What a tick does when the run of the one before has not ended. */
  readonly overlap: TickOverlap;
  readonly paused: boolean;
  readonly starts_at: string | null;
  readonly ends_at: string | null;
  readonly pattern: string;
  readonly actor: string;
  /** Null: it is paused, or over. */
  readonly next_at: string | null;
  /** The newest tick. */
  readonly last: TimerTick | null;
  readonly updated_at: string;
  readonly run: TimerRun;
}

export interface TimerRun {
  readonly pattern: string;
  readonly input?: string | undefined;
  /** Instead of input and variables: a batch of these is started. */
  readonly items?: readonly BatchItem[] | undefined;
  readonly variables?: Readonly<Record<string, string>> | undefined;
  readonly version?: number | undefined;
  readonly label?: string | undefined;
  readonly environment?: string | undefined;
  readonly strategy?: string | undefined;
  readonly context?: string | undefined;
  /** Language of the answer as a BCP 47 tag: de, pt-BR. en adds no instruction. */
  readonly language?: string | undefined;
  readonly model?: string | undefined;
  readonly parameters?: Parameters | undefined;
  /** Runs get `timer` and `tick` beside it. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly priority?: 'interactive' | 'bulk' | undefined;
}

export interface TimerSummary {
  readonly name: string;
  readonly cron: string;
  readonly time_zone: string;
  /** Ticks that came due while nothing could fire them: none of them is fired, the newest one, or all of them (the newest 100 at most). */
  readonly missed: MissedTicks;
  /** What a tick does when the run of the one before has not ended. */
  readonly overlap: TickOverlap;
  readonly paused: boolean;
  readonly starts_at: string | null;
  readonly ends_at: string | null;
  readonly pattern: string;
  readonly actor: string;
  /** Null: it is paused, or over. */
  readonly next_at: string | null;
  /** The newest tick. */
  readonly last: TimerTick | null;
  readonly updated_at: string;
}

export interface TimerTick {
  /** When it was due. */
  readonly at: string;
  readonly fired_at: string;
  /** fired: a run was accepted. missed: nobody could fire it in time. skipped: the run before had not ended. failed: no run could be accepted. */
  readonly state: TickState;
  readonly run: string | null;
  readonly batch: string | null;
  readonly error: {
    readonly code: string;
    readonly detail: string;
  } | null;
}

export interface Tool {
  readonly name: string;
  readonly description?: string | undefined;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON as the model wrote it; it may be broken. */
  readonly arguments: string;
}

export type ToolChoice = 'auto' | 'none' | 'required' | {
  readonly name: string;
};

export interface ToolTurn {
  /** What the model said beside its calls. */
  readonly content?: string | undefined;
  readonly tool_calls: readonly {
    readonly id: string;
    readonly name: string;
    readonly arguments: string;
  }[];
  readonly results: readonly {
    readonly tool_call_id: string;
    readonly content: string;
  }[];
}

export interface Turn {
  /** From 1. */
  readonly number: number;
  readonly role: TurnRole;
  readonly content: string;
  readonly attachments: readonly KeptAttachment[];
  /** The run that said it; null when it was put. */
  readonly run: string | null;
  readonly created_at: string;
}

export type TurnRole = 'user' | 'assistant' | 'system' | 'meta';

export interface Usage {
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cached_input_tokens: number | null;
  readonly reasoning_tokens: number | null;
}

export interface Variable {
  readonly name: string;
  readonly type: VariableType;
  readonly description?: string | undefined;
  readonly required: boolean;
  readonly default?: string | undefined;
  /** What an enum allows. */
  readonly values?: readonly string[] | undefined;
  /** Characters that a string may have. */
  readonly max_length?: number | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  /** Whether strangers write its values; absent: nobody said. */
  readonly untrusted?: boolean | undefined;
  readonly data_class?: DataClass | undefined;
  /** False when it was found in the text only. */
  readonly declared: boolean;
}

export type VariableType = 'string' | 'integer' | 'number' | 'boolean' | 'enum';

export interface VersionDiff {
  readonly pattern: string;
  readonly from: number;
  readonly to: number;
  /** Only those that differ. */
  readonly files: readonly FileDiff[];
  readonly settings: readonly SettingChange[];
}

export interface VersionSummary {
  readonly pattern: string;
  readonly version: number;
  readonly digest: string;
  readonly labels: readonly string[];
  readonly message: string | null;
  readonly source: Source;
  readonly created_at: string;
  readonly created_by: string | null;
  /** Name of the key or member that published it. */
  readonly author: string | null;
}

export interface WeightedModel {
  /** provider/model */
  readonly name: string;
  /** Its share of the runs, against the sum of all weights. */
  readonly weight: number;
}

export interface Workspace {
  readonly id: string;
  readonly name: string;
  readonly created_at: string;
}

export interface ListKeysInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface CreateKeyInput {
  readonly name: string;
  /** One of viewer, runner, author, operator, admin, owner, or custom: with the name of a role of the workspace. */
  readonly role: string;
  readonly expires_at?: string | undefined;
  /** Of what the role holds, only these permissions. */
  readonly scopes?: readonly PermissionName[] | undefined;
  /** It reaches these patterns only, whether they exist yet or not. */
  readonly patterns?: readonly string[] | undefined;
  /** Each of its runs names one of these environments. */
  readonly environments?: readonly string[] | undefined;
  readonly requests_per_minute?: number | undefined;
  /** Whose key it becomes. Left out, it is the caller's own where the caller is a member. */
  readonly service_account?: string | undefined;
}

export interface ReadKeyInput {
  readonly key: string;
}

export interface RevokeKeyInput {
  readonly key: string;
}

export interface ListRolesInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface PutRoleInput {
  readonly custom_role: string;
  /** What it holds. Nobody makes a role that holds more than they do. */
  readonly permissions: readonly PermissionName[];
  readonly description?: string | undefined;
}

export interface DeleteRoleInput {
  readonly custom_role: string;
}

export interface ListMembersInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface ReadMemberInput {
  readonly member: string;
}

export interface ChangeMemberInput {
  readonly member: string;
  /** One of viewer, runner, author, operator, admin, owner, or custom: with the name of a role of the workspace. */
  readonly role: string;
}

export interface RemoveMemberInput {
  readonly member: string;
}

export interface ListServiceAccountsInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface PutServiceAccountInput {
  readonly service_account: string;
  /** One of viewer, runner, author, operator, admin, owner, or custom: with the name of a role of the workspace. */
  readonly role: string;
  readonly description?: string | undefined;
}

export interface DeleteServiceAccountInput {
  readonly service_account: string;
}

export interface ListTeamsInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface PutTeamInput {
  readonly team: string;
  readonly description?: string | undefined;
}

export interface DeleteTeamInput {
  readonly team: string;
}

export interface ListTeamMembersInput {
  readonly team: string;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface AddTeamMemberInput {
  readonly team: string;
  readonly member: string;
}

export interface RemoveTeamMemberInput {
  readonly team: string;
  readonly member: string;
}

export interface ListIdentityProvidersInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface ReadIdentityProviderInput {
  readonly identity_provider: string;
}

export interface PutIdentityProviderInput {
  readonly identity_provider: string;
  /** Its address, as it names itself in its tokens; https, or http on this machine. */
  readonly issuer: string;
  readonly client_id: string;
  readonly client_secret?: string | undefined;
  /** The one algorithm that its tokens may be signed with. */
  readonly algorithm?: 'RS256' | 'PS256' | 'ES256' | 'ES384' | 'EdDSA' | undefined;
  /** Asked for beside openid. */
  readonly scopes?: readonly string[] | undefined;
  /** Where its tokens name the groups of a person. */
  readonly groups_claim?: string | undefined;
  /** The first group that a person is in gives the role, at each sign-in anew. */
  readonly roles?: readonly {
    readonly group: string;
    /** One of viewer, runner, author, operator, admin, owner, or custom: with the name of a role of the workspace. */
    readonly role: string;
  }[] | undefined;
  /** For people in none of these groups; null keeps them out. */
  readonly default_role?: string | null | undefined;
  readonly email_domains?: readonly string[] | undefined;
  /** Members whose address is of these domains act here only when they signed in by this provider. */
  readonly sso_only?: boolean | undefined;
  /** What tokens of machines are made out to; null takes none. Never the client_id. */
  readonly audience?: string | null | undefined;
  readonly machines?: readonly {
    /** What the token says in azp or client_id. */
    readonly client: string;
    /** As whom it then acts. */
    readonly service_account: string;
  }[] | undefined;
}

export interface DeleteIdentityProviderInput {
  readonly identity_provider: string;
}

export interface ListInvitationsInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly state?: 'open' | 'accepted' | 'expired' | 'revoked' | undefined;
}

export interface ReadInvitationInput {
  readonly invitation: string;
}

export interface RevokeInvitationInput {
  readonly invitation: string;
}

export interface RevokeLoginSessionInput {
  readonly login_session: string;
}

export interface DeletePasskeyInput {
  readonly passkey: string;
}

export interface ReadCommandLineLoginInput {
  /** What the person compares. */
  readonly user_code: string;
}

export interface ApproveCommandLineLoginInput {
  /** What the person compares. */
  readonly user_code: string;
}

export interface ListAuditInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  /** Id of a key, member or account. */
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  /** How the subject begins: pattern/, key/ and an id. */
  readonly subject?: string | undefined;
  readonly outcome?: AuditOutcome | undefined;
  /** Not before this time. RFC 3339, UTC. */
  readonly since?: string | undefined;
  /** Before this time. RFC 3339, UTC. */
  readonly until?: string | undefined;
}

export interface ExportAuditInput {
  readonly format?: 'jsonl' | 'csv' | undefined;
  /** From the first entry of this time on. RFC 3339, UTC. */
  readonly since?: string | undefined;
  /** Up to the last entry before this time. RFC 3339, UTC. */
  readonly until?: string | undefined;
}

export interface ListAuditCheckpointsInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface SealEvidenceInput {
  /** The period. RFC 3339. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly digests: readonly EvidenceFile[];
}

export interface ListPatternsInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  /** Literal text in name, title or description. */
  readonly search?: string | undefined;
  readonly tag?: string | undefined;
  /** List the deleted ones instead. */
  readonly deleted?: boolean | undefined;
}

export interface CreatePatternInput {
  readonly name: string;
  /** The text of system.md; instead of `files`. */
  readonly system?: string | undefined;
  readonly files?: readonly PatternFile[] | undefined;
  /** Why this version exists. */
  readonly message?: string | undefined;
  /** Check all of it, answer what would be, and change nothing. */
  readonly dry_run?: boolean | undefined;
}

export interface ReadPatternInput {
  readonly pattern: string;
}

export interface DeletePatternInput {
  readonly pattern: string;
  /** ETag of the read that this write builds on, or *. */
  readonly if_match?: string | undefined;
}

export interface RestorePatternInput {
  readonly pattern: string;
}

export interface PublishVersionInput {
  readonly pattern: string;
  /** The text of system.md; instead of `files`. */
  readonly system?: string | undefined;
  readonly files?: readonly PatternFile[] | undefined;
  /** Why this version exists. */
  readonly message?: string | undefined;
  /** Check all of it, answer what would be, and change nothing. */
  readonly dry_run?: boolean | undefined;
  /** The version that was edited: when it is not the newest any more, nothing is published. */
  readonly base_version?: number | undefined;
  /** ETag of the read that this write builds on, or *. */
  readonly if_match?: string | undefined;
}

export interface ListVersionsInput {
  readonly pattern: string;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface ReadVersionInput {
  readonly pattern: string;
  readonly version: number;
}

export interface SetLabelInput {
  readonly pattern: string;
  readonly label: string;
  readonly version: number;
  /** Warnings of the version that do not keep it from the label `production`. */
  readonly accept?: readonly ('untrusted_in_system' | 'invisible_text')[] | undefined;
  /** ETag of the read that this write builds on, or *. */
  readonly if_match?: string | undefined;
}

export interface RemoveLabelInput {
  readonly pattern: string;
  readonly label: string;
  /** ETag of the read that this write builds on, or *. */
  readonly if_match?: string | undefined;
}

export interface DiffVersionsInput {
  readonly pattern: string;
  /** The version before `to` by default. */
  readonly from?: number | undefined;
  /** The newest by default. */
  readonly to?: number | undefined;
}

export interface ListLabelMovesInput {
  readonly pattern: string;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly label?: string | undefined;
}

export interface DeprecatePatternInput {
  readonly pattern: string;
  readonly successor?: string | undefined;
  /** Why, for people. */
  readonly message?: string | undefined;
}

export interface LiftDeprecationInput {
  readonly pattern: string;
}

export interface SetPatternTeamInput {
  readonly pattern: string;
  readonly team: string | null;
}

export interface ListStrategiesInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface ReadStrategyInput {
  readonly strategy: string;
}

export interface PutStrategyInput {
  readonly strategy: string;
  readonly description?: string | undefined;
  readonly prompt: string;
  /** ETag of the read that this write builds on, or *. */
  readonly if_match?: string | undefined;
}

export interface DeleteStrategyInput {
  readonly strategy: string;
  /** ETag of the read that this write builds on, or *. */
  readonly if_match?: string | undefined;
}

export interface ListContextsInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface ReadContextInput {
  readonly context: string;
}

export interface PutContextInput {
  readonly context: string;
  /** UTF-8 text of at most 1 MiB, kept byte for byte. */
  readonly content: string;
  /** ETag of the read that this write builds on, or *. */
  readonly if_match?: string | undefined;
}

export interface DeleteContextInput {
  readonly context: string;
  /** ETag of the read that this write builds on, or *. */
  readonly if_match?: string | undefined;
}

export interface ListSessionsInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface ReadSessionInput {
  readonly session: string;
}

export interface ListTurnsInput {
  readonly session: string;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface PutSessionInput {
  readonly session: string;
  /** The whole conversation, oldest first; at most 4 MiB of text. */
  readonly turns: readonly {
    readonly role: TurnRole;
    readonly content: string;
  }[];
}

export interface DeleteSessionInput {
  readonly session: string;
}

export interface ImportTreeInput {
  readonly files: readonly {
    readonly path: string;
    readonly content: string;
  }[];
  readonly origin?: string | undefined;
  /** What to do with a pattern that was edited here since its last import. */
  readonly on_conflict?: 'fail' | 'keep' | 'replace' | undefined;
  readonly dry_run?: boolean | undefined;
}

export interface ImportArchiveInput {
  /** Name of the archive. */
  readonly origin?: string | undefined;
  /** The folder in it where the patterns are. */
  readonly path?: string | undefined;
  /** What to do with a pattern that was edited here since its last import. */
  readonly on_conflict?: 'fail' | 'keep' | 'replace' | undefined;
  readonly dry_run?: boolean | undefined;
}

export interface ImportGitInput {
  /** Begins with https://. */
  readonly url: string;
  /** A branch, a tag or a whole commit hash; without, the server's default branch. */
  readonly ref?: string | undefined;
  /** The folder in it where the patterns are. */
  readonly path?: string | undefined;
  /** What to do with a pattern that was edited here since its last import. */
  readonly on_conflict?: 'fail' | 'keep' | 'replace' | undefined;
  readonly dry_run?: boolean | undefined;
}

export interface ExportArchiveInput {
  readonly format?: 'zip' | 'tar' | undefined;
  /** Only these, without strategies. */
  readonly pattern?: readonly string[] | undefined;
}

export interface ExportTreeInput {
  /** Only these, without strategies. */
  readonly pattern?: readonly string[] | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface PutProviderInput {
  readonly provider: string;
  readonly protocol?: ProviderProtocol | undefined;
  readonly base_url: string;
  readonly api_version?: string | undefined;
  readonly api_key?: string | undefined;
  readonly models?: readonly ModelOffer[] | undefined;
  readonly limits?: {
    readonly concurrency?: number | null | undefined;
    readonly requests_per_minute?: number | null | undefined;
    readonly tokens_per_minute?: number | null | undefined;
  } | undefined;
  readonly fallbacks?: readonly string[] | undefined;
}

export interface TestProviderInput {
  readonly provider: string;
  readonly model?: string | undefined;
}

export interface DeleteProviderInput {
  readonly provider: string;
}

export interface ListBudgetsInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface ReadBudgetInput {
  readonly budget: string;
}

export interface PutBudgetInput {
  readonly budget: string;
  /** What it limits: all runs of the workspace, or those of one API key, pattern or environment. */
  readonly covers: BudgetCovers;
  /** Id of the key, or name of the pattern or environment. */
  readonly of?: string | undefined;
  /** By UTC, from midnight to midnight; a call counts where it was reserved. */
  readonly period: BudgetPeriod;
  /** Millionths of a US dollar. */
  readonly limit_micros?: number | undefined;
  /** Tokens that go in and come out. */
  readonly limit_tokens?: number | undefined;
}

export interface DeleteBudgetInput {
  readonly budget: string;
}

export interface CheckEgressInput {
  readonly url: string;
  /** What the address is for: a provider of models, an identity provider, or an import. */
  readonly surface?: 'provider' | 'identity_provider' | 'import' | undefined;
}

export interface CreateRunInput {
  readonly pattern: string;
  readonly input: string;
  readonly variables?: Readonly<Record<string, string>> | undefined;
  readonly version?: number | undefined;
  readonly label?: string | undefined;
  readonly environment?: string | undefined;
  readonly strategy?: string | undefined;
  readonly context?: string | undefined;
  readonly session?: string | undefined;
  /** Language of the answer as a BCP 47 tag: de, pt-BR. en adds no instruction. */
  readonly language?: string | undefined;
  readonly attachments?: readonly Attachment[] | undefined;
  readonly model?: string | undefined;
  readonly parameters?: Parameters | undefined;
  /** Instead of those of the pattern. Nobody here calls them. */
  readonly tools?: readonly Tool[] | undefined;
  readonly tool_choice?: ToolChoice | undefined;
  /** What models asked for when they got this request, with results. */
  readonly tool_turns?: readonly ToolTurn[] | undefined;
  /** async: answers 202 once the run is accepted, and it is executed even if every process dies meanwhile. */
  readonly mode?: 'sync' | 'async' | undefined;
  /** Asynchronous runs: not before this time. RFC 3339, UTC. */
  readonly start_at?: string | undefined;
  /** Asynchronous runs: ended by this time, or failed. RFC 3339, UTC. */
  readonly deadline?: string | undefined;
  /** Of asynchronous runs: interactive ones go before bulk ones. */
  readonly priority?: RunPriority | undefined;
  readonly stream?: boolean | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** The end user whom the run is about or for. Kept sealed; runs are found by it, and no list shows it. */
  readonly subject?: string | undefined;
  /** Of patterns that keep answers: take one, ask anew and keep that, or neither. Default: use. */
  readonly cache?: 'use' | 'refresh' | 'off' | undefined;
  /** When the last reader has left. Default: cancel; continue where there is a key. */
  readonly on_disconnect?: 'cancel' | 'continue' | undefined;
  readonly timeout_ms?: number | undefined;
  /** 1 to 255 printable ASCII characters. Who sends the same request with the same key within 24 hours gets the answer of the first one. */
  readonly idempotency_key?: string | undefined;
}

export interface RenderRunInput {
  readonly pattern: string;
  readonly input: string;
  readonly variables?: Readonly<Record<string, string>> | undefined;
  readonly version?: number | undefined;
  readonly label?: string | undefined;
  readonly environment?: string | undefined;
  readonly strategy?: string | undefined;
  readonly context?: string | undefined;
  readonly session?: string | undefined;
  /** Language of the answer as a BCP 47 tag: de, pt-BR. en adds no instruction. */
  readonly language?: string | undefined;
  readonly attachments?: readonly Attachment[] | undefined;
  readonly model?: string | undefined;
  readonly parameters?: Parameters | undefined;
  /** Instead of those of the pattern. Nobody here calls them. */
  readonly tools?: readonly Tool[] | undefined;
  readonly tool_choice?: ToolChoice | undefined;
  /** What models asked for when they got this request, with results. */
  readonly tool_turns?: readonly ToolTurn[] | undefined;
}

export interface ListRunsInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly pattern?: string | undefined;
  readonly status?: RunStatus | undefined;
  /** true: only runs that were given up; retry them once the cause is gone. */
  readonly dead?: boolean | undefined;
  readonly model?: string | undefined;
  /** The end user whom the run is about or for. Kept sealed; runs are found by it, and no list shows it. */
  readonly subject?: string | undefined;
  /** Only runs in which the check of this name found something. */
  readonly flag?: string | undefined;
  /** true: only runs in which a check found something. */
  readonly flagged?: boolean | undefined;
  readonly rerun_of?: string | undefined;
  readonly batch?: string | undefined;
  /** Each is name=value, and all must be there. */
  readonly metadata?: readonly string[] | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

export interface ReadRunInput {
  readonly run: string;
}

export interface ListRunStepsInput {
  readonly run: string;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  /** Only this step, with its items, parts and inner steps. */
  readonly path?: string | undefined;
}

export interface RerunRunInput {
  readonly pattern?: string | undefined;
  readonly input?: string | undefined;
  readonly variables?: Readonly<Record<string, string>> | undefined;
  readonly version?: number | undefined;
  readonly label?: string | undefined;
  readonly environment?: string | undefined;
  readonly strategy?: string | undefined;
  readonly context?: string | undefined;
  readonly session?: string | undefined;
  /** Language of the answer as a BCP 47 tag: de, pt-BR. en adds no instruction. */
  readonly language?: string | undefined;
  readonly attachments?: readonly Attachment[] | undefined;
  readonly model?: string | undefined;
  readonly parameters?: Parameters | undefined;
  /** Instead of those of the pattern. Nobody here calls them. */
  readonly tools?: readonly Tool[] | undefined;
  readonly tool_choice?: ToolChoice | undefined;
  /** What models asked for when they got this request, with results. */
  readonly tool_turns?: readonly ToolTurn[] | undefined;
  /** async: answers 202 once the run is accepted, and it is executed even if every process dies meanwhile. */
  readonly mode?: 'sync' | 'async' | undefined;
  /** Asynchronous runs: not before this time. RFC 3339, UTC. */
  readonly start_at?: string | undefined;
  /** Asynchronous runs: ended by this time, or failed. RFC 3339, UTC. */
  readonly deadline?: string | undefined;
  /** Of asynchronous runs: interactive ones go before bulk ones. */
  readonly priority?: RunPriority | undefined;
  readonly stream?: boolean | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** The end user whom the run is about or for. Kept sealed; runs are found by it, and no list shows it. */
  readonly subject?: string | undefined;
  /** Of patterns that keep answers: take one, ask anew and keep that, or neither. Default: use. */
  readonly cache?: 'use' | 'refresh' | 'off' | undefined;
  /** When the last reader has left. Default: cancel; continue where there is a key. */
  readonly on_disconnect?: 'cancel' | 'continue' | undefined;
  readonly timeout_ms?: number | undefined;
  /** 1 to 255 printable ASCII characters. Who sends the same request with the same key within 24 hours gets the answer of the first one. */
  readonly idempotency_key?: string | undefined;
  readonly run: string;
}

export interface StreamRunInput {
  readonly run: string;
  /** Id of the last event that came. */
  readonly after?: number | undefined;
}

export interface CancelRunInput {
  readonly run: string;
}

export interface RetryRunInput {
  readonly run: string;
  /** Asynchronous runs: not before this time. RFC 3339, UTC. */
  readonly start_at?: string | undefined;
  /** Asynchronous runs: ended by this time, or failed. RFC 3339, UTC. */
  readonly deadline?: string | undefined;
  /** Of asynchronous runs: interactive ones go before bulk ones. */
  readonly priority?: RunPriority | undefined;
  /** 1 to 255 printable ASCII characters. Who sends the same request with the same key within 24 hours gets the answer of the first one. */
  readonly idempotency_key?: string | undefined;
}

export interface DecideRunInput {
  readonly run: string;
  /** approve or reject what waits for approval; retry or fail what waits for review. */
  readonly decision: 'approve' | 'reject' | 'retry' | 'fail';
  /** Of a chain: the step that waits. */
  readonly step?: string | undefined;
  readonly comment?: string | undefined;
}

export interface PutQueueInput {
  /** Null: what the platform allows. */
  readonly concurrency: number | null;
}

export interface PutRedactionInput {
  readonly kinds: readonly DetectorKind[];
  readonly expressions: readonly NamedExpression[];
  /** True: the model does not get to see it either. */
  readonly model: boolean;
}

export interface CreateBatchInput {
  readonly pattern: string;
  /** The lines, where nothing is uploaded. */
  readonly items?: readonly BatchItem[] | undefined;
  readonly version?: number | undefined;
  readonly label?: string | undefined;
  readonly environment?: string | undefined;
  readonly strategy?: string | undefined;
  readonly context?: string | undefined;
  readonly model?: string | undefined;
  readonly parameters?: Parameters | undefined;
  /** all: one bad line refuses the batch, the default. valid: bad lines are rejected, the others run. */
  readonly accept?: 'all' | 'valid' | undefined;
  /** What a failed line does to the batch. Default: go_on. */
  readonly on_error?: 'go_on' | 'stop' | undefined;
  /** Identical lines run once. Default: where the temperature is 0. */
  readonly deterministic?: boolean | undefined;
  /** Of asynchronous runs: interactive ones go before bulk ones. */
  readonly priority?: RunPriority | undefined;
  /** Most of its runs at the same time. */
  readonly concurrency?: number | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Not before this time. RFC 3339, UTC. */
  readonly start_at?: string | undefined;
  /** What has not ended by this time is broken off. RFC 3339, UTC. */
  readonly deadline?: string | undefined;
  /** Check all lines; nothing is stored. */
  readonly dry_run?: boolean | undefined;
  /** Tell errors of lines after this one only. */
  readonly errors_after?: number | undefined;
  /** 1 to 255 printable ASCII characters. Who sends the same request with the same key within 24 hours gets the answer of the first one. */
  readonly idempotency_key?: string | undefined;
}

export interface ListBatchesInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly status?: BatchStatus | undefined;
  readonly pattern?: string | undefined;
}

export interface ReadBatchInput {
  readonly batch: string;
}

export interface PauseBatchInput {
  readonly batch: string;
}

export interface ResumeBatchInput {
  readonly batch: string;
}

export interface CancelBatchInput {
  readonly batch: string;
}

export interface ReadBatchResultsInput {
  readonly batch: string;
  readonly format?: 'jsonl' | 'csv' | undefined;
  /** The last line that came. */
  readonly after?: number | undefined;
  /** Go on until the batch has ended. */
  readonly wait?: boolean | undefined;
}

export interface ListBatchErrorsInput {
  readonly batch: string;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface ListTimersInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface ReadTimerInput {
  readonly timer: string;
}

export interface PutTimerInput {
  readonly timer: string;
  /** Minute, hour, day of the month, month, day of the week; or @hourly, @daily, @weekly, @monthly, @yearly. Where both days are given, either suffices. */
  readonly cron: string;
  /** A name of the IANA database: Europe/Berlin. */
  readonly time_zone?: string | undefined;
  /** Ticks that came due while nothing could fire them: none of them is fired, the newest one, or all of them (the newest 100 at most). */
  readonly missed?: MissedTicks | undefined;
  /** What a tick does when the run of the one before has not ended. */
  readonly overlap?: TickOverlap | undefined;
  readonly paused?: boolean | undefined;
  readonly starts_at?: string | undefined;
  readonly ends_at?: string | undefined;
  readonly run: TimerRun;
}

export interface DeleteTimerInput {
  readonly timer: string;
}

export interface ListTimerTicksInput {
  readonly timer: string;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface PutRetentionInput {
  /** public by default: each run has the class of its pattern and variables. */
  readonly least_class?: DataClass | undefined;
  readonly rules: readonly RetentionRule[];
}

export interface ListRemovalsInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface ListHoldsInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface PutHoldInput {
  readonly hold: string;
  readonly reason: string;
  /** The end user whom the run is about or for. Kept sealed; runs are found by it, and no list shows it. */
  readonly subject?: string | undefined;
  readonly pattern?: string | undefined;
  /** What was accepted from here on. RFC 3339, UTC. */
  readonly since?: string | undefined;
  /** What was accepted before. RFC 3339, UTC. */
  readonly until?: string | undefined;
}

export interface DeleteHoldInput {
  readonly hold: string;
}

export interface ExportSubjectInput {
  /** The end user whom the run is about or for. Kept sealed; runs are found by it, and no list shows it. */
  readonly subject: string;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface EraseSubjectInput {
  /** The end user whom the run is about or for. Kept sealed; runs are found by it, and no list shows it. */
  readonly subject: string;
}

export interface ListErasuresInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface ReadErasureInput {
  readonly erasure: string;
}

export interface SignInWithLinkInput {
  readonly link: string;
}

export interface SignInWithPasskeyInput {
  readonly passkey: PasskeyUsed;
  /** As it was answered with the options. */
  readonly state: string;
}

export interface AddPasskeyInput {
  readonly name: string;
  readonly passkey: PasskeyMade;
  /** As it was answered with the options. */
  readonly state: string;
}

export interface StartCommandLineLoginInput {
  /** SHA-256 of the verifier, base64url (PKCE S256). */
  readonly challenge: string;
  /** The machine, for the person who approves. */
  readonly name: string;
  /** Where it listens on 127.0.0.1 of the same machine; left out where the browser is on another one. */
  readonly port?: number | undefined;
  readonly state?: string | undefined;
}

export interface FinishCommandLineLoginInput {
  readonly login: string;
  readonly verifier: string;
  readonly code?: string | undefined;
}

export interface CreateInvitationInput {
  readonly email?: string | undefined;
  readonly name?: string | undefined;
  /** One of viewer, runner, author, operator, admin, owner, or custom: with the name of a role of the workspace. */
  readonly role: string;
  /** In seven days unless told, and in thirty at the latest. */
  readonly expires_at?: string | undefined;
}

export interface PreviewInvitationInput {
  /** What stands behind # in the link. */
  readonly secret: string;
}

export interface AcceptInvitationInput {
  /** What stands behind # in the link. */
  readonly secret: string;
  readonly name: string;
}

export interface StartInvitationSignInInput {
  /** What stands behind # in the link. */
  readonly secret: string;
  readonly login: string;
}

export interface JoinWorkspaceInput {
  /** What stands behind # in the link. */
  readonly secret: string;
}

export interface ListLoginSessionsOutput {
  readonly items: readonly {
    readonly id: string;
    readonly kind: 'browser' | 'cli';
    /** link, passkey, invitation, or the identity provider that was asked. */
    readonly way: string;
    readonly user_agent: string;
    /** Where the sign-in came from. */
    readonly address: string;
    readonly created_at: string;
    /** When it was last used, to a few minutes. */
    readonly seen_at: string;
    /** When it ends in any case; without use it ends earlier. */
    readonly expires_at: string;
    readonly current: boolean;
  }[];
}

export interface ListPasskeysOutput {
  readonly items: readonly Passkey[];
}

export interface ReadCommandLineLoginOutput {
  readonly name: string;
  readonly address: string;
  readonly created_at: string;
  readonly expires_at: string;
}

export interface ApproveCommandLineLoginOutput {
  readonly location: string | null;
}

export interface ListAuditOutput {
  readonly items: readonly AuditEntry[];
  readonly next?: string | undefined;
  readonly sealed: {
    readonly seq: number;
    readonly at: string;
  } | null;
  readonly checkpoint: {
    readonly seq: number;
    readonly at: string;
  } | null;
  /** Changes that are not sealed yet; 1,000 at most are counted. */
  readonly waiting: number;
}

export interface ListAuditCheckpointsOutput {
  readonly items: readonly AuditCheckpoint[];
  readonly next?: string | undefined;
  readonly keys: readonly AuditKey[];
}

export interface ReadAuditStateOutput {
  readonly items: readonly HandChange[];
}

export interface ReadProgramOutput {
  readonly version: string;
  readonly sbom: string | null;
  readonly controls: string | null;
}

export interface ListModelsOutput {
  readonly items: readonly Model[];
}

export interface ListProvidersOutput {
  readonly items: readonly Provider[];
}

export interface ReadProviderHealthOutput {
  readonly items: readonly ProviderHealth[];
}

export interface ReadEgressOutput {
  readonly surfaces: readonly {
    /** What the address is for: a provider of models, an identity provider, or an import. */
    readonly surface: 'provider' | 'identity_provider' | 'import';
    /** CIDRs, addresses, hosts and ports of the settings. */
    readonly allow: readonly string[];
  }[];
}

export interface CheckEgressOutput {
  /** What the address is for: a provider of models, an identity provider, or an import. */
  readonly surface: 'provider' | 'identity_provider' | 'import';
  /** unknown: the name could not be resolved now, and is judged when it can. */
  readonly verdict: 'allowed' | 'denied' | 'unknown';
  readonly reason: string | null;
}

export interface RenderRunOutput {
  readonly pattern: string;
  readonly version: number;
  readonly digest: string;
  readonly model: string | null;
  readonly parameters: Parameters;
  readonly messages: readonly Message[];
  /** Texts of other patterns that are in the messages. */
  readonly includes: readonly PatternInclude[];
  /** Of a chain: its steps with the versions that would be pinned. It sends no messages itself. */
  readonly steps?: readonly {
    readonly path: string;
    /** Null: a person decides. */
    readonly pattern: string | null;
    readonly version: number | null;
    readonly needs: readonly string[];
  }[] | undefined;
  readonly deprecated: Deprecation | null;
}

export interface ListRunStepsOutput {
  readonly items: readonly RunStep[];
  readonly next?: string | undefined;
  readonly actor: string;
}

export interface ReadPatternAuditStateOutput {
  readonly items: readonly HandChange[];
}

export interface ReadLiveOutput {
  readonly status: 'live';
}

export interface ReadReadyOutput {
  readonly status: 'ready';
}

export interface ReadLoginOutput {
  readonly account: Account;
  readonly session: LoginSession;
  readonly workspaces: readonly Membership[];
  /** For the header Damask-CSRF; null where no cookie was sent. */
  readonly csrf: string | null;
}

export interface SignInWithLinkOutput {
  readonly account: Account;
}

export interface CreateLoginLinkOutput {
  readonly url: string;
  readonly account: Account;
  readonly expires_at: string;
}

export interface SignInWithPasskeyOutput {
  readonly account: Account;
}

export interface StartCommandLineLoginOutput {
  readonly login: string;
  /** What the person compares. */
  readonly user_code: string;
  readonly expires_at: string;
  /** Where the person goes. */
  readonly url: string;
  /** Ask again after that. */
  readonly interval_ms: number;
}

export type FinishCommandLineLoginOutput = {
  readonly status: 'waiting';
} | {
  readonly status: 'approved';
  readonly secret: string;
  readonly session: LoginSession;
  readonly account: Account;
};

export interface CreateInvitationOutput {
  readonly id: string;
  readonly email: string | null;
  readonly name: string | null;
  /** One of viewer, runner, author, operator, admin, owner, or custom: with the name of a role of the workspace. */
  readonly role: string;
  readonly state: 'open' | 'accepted' | 'expired' | 'revoked';
  readonly created_at: string;
  /** Who invites, and must still be allowed to when it is accepted. */
  readonly created_by: string;
  readonly expires_at: string;
  readonly accepted_at: string | null;
  /** Who became a member by it. */
  readonly member: string | null;
  readonly revoked_at: string | null;
  /** Makes whoever opens it a member, once. */
  readonly url: string;
}

export interface PreviewInvitationOutput {
  /** Its name. */
  readonly workspace: string;
  /** One of viewer, runner, author, operator, admin, owner, or custom: with the name of a role of the workspace. */
  readonly role: string;
  readonly email: string | null;
  readonly name: string | null;
  readonly invited_by: string;
  readonly expires_at: string;
  /** The address is one that only these providers let in. */
  readonly provider_only: boolean;
  readonly providers: readonly {
    readonly login: string;
    readonly name: string;
  }[];
}

export interface AcceptInvitationOutput {
  readonly account: Account;
}

export interface StartInvitationSignInOutput {
  readonly location: string;
}

export interface JoinWorkspaceOutput {
  readonly account: Account;
}

/** Events of a streamed run. `id` is the byte offset of the output after the event. */
export type RunEvent =
  | {
      readonly event: 'run.accepted';
      readonly id: number;
      readonly data: {
        readonly id: string;
        readonly pattern: string;
        readonly version: number;
        readonly model: string;
        readonly deprecated?: Deprecation | undefined;
      };
    }
  | {
      readonly event: 'output.delta';
      readonly id: number;
      readonly data: {
        readonly text: string;
      };
    }
  | {
      readonly event: 'output.restarted';
      readonly id: number;
      readonly data: Readonly<Record<string, never>>;
    }
  | {
      readonly event: 'step.changed';
      readonly id: number;
      readonly data: {
        /** Of a chain: the step, like `outline` or `sections[3]`. */
        readonly path: string;
        readonly state: string;
      };
    }
  | {
      readonly event: 'run.succeeded';
      readonly id: number;
      readonly data: Run;
    }
  | {
      readonly event: 'run.failed';
      readonly id: number;
      readonly data: Run;
    }
  | {
      readonly event: 'run.cancelled';
      readonly id: number;
      readonly data: Run;
    };

/** Input and output of each operation. */
export interface OperationTypes {
  /** Who the credential is and what it may do. */
  readonly readMe: { readonly input: Readonly<Record<string, never>>; readonly output: Me };
  /** The workspace of the credential. */
  readonly readWorkspace: { readonly input: Readonly<Record<string, never>>; readonly output: Workspace };
  /** API keys of the workspace, newest first. */
  readonly listKeys: { readonly input: ListKeysInput; readonly output: Page<ApiKey> };
  /** Make an API key that holds no more than the caller does. */
  readonly createKey: { readonly input: CreateKeyInput; readonly output: NewApiKey };
  /** One API key, without its secret. */
  readonly readKey: { readonly input: ReadKeyInput; readonly output: ApiKey };
  /** Revoke an API key at once. */
  readonly revokeKey: { readonly input: RevokeKeyInput; readonly output: ApiKey };
  /** Roles with what they hold: those of the platform, then those of the workspace by name. */
  readonly listRoles: { readonly input: ListRolesInput; readonly output: Page<RoleItem> };
  /** Create or replace a role of the workspace, which is given as custom: and its name. */
  readonly putRole: { readonly input: PutRoleInput; readonly output: RoleItem };
  /** Delete a role of the workspace that nobody has. */
  readonly deleteRole: { readonly input: DeleteRoleInput; readonly output: RoleItem };
  /** People of the workspace, newest account first. */
  readonly listMembers: { readonly input: ListMembersInput; readonly output: Page<Member> };
  /** One member. */
  readonly readMember: { readonly input: ReadMemberInput; readonly output: Member };
  /** Give a member another role; nobody changes their own. */
  readonly changeMember: { readonly input: ChangeMemberInput; readonly output: Member };
  /** End a membership at once, with its keys and teams. */
  readonly removeMember: { readonly input: RemoveMemberInput; readonly output: Member };
  /** Programs that act in their own name, by name. */
  readonly listServiceAccounts: { readonly input: ListServiceAccountsInput; readonly output: Page<ServiceAccount> };
  /** Create a service account or give it another role; its keys never hold more than it does. */
  readonly putServiceAccount: { readonly input: PutServiceAccountInput; readonly output: ServiceAccount };
  /** Delete a service account and revoke its keys at once. */
  readonly deleteServiceAccount: { readonly input: DeleteServiceAccountInput; readonly output: ServiceAccount };
  /** Teams of the workspace by name. */
  readonly listTeams: { readonly input: ListTeamsInput; readonly output: Page<Team> };
  /** Create a team or describe it anew; it can own patterns. */
  readonly putTeam: { readonly input: PutTeamInput; readonly output: Team };
  /** Delete a team; its patterns stay with its name, and only who holds team:write may change them. */
  readonly deleteTeam: { readonly input: DeleteTeamInput; readonly output: Team };
  /** Members of a team. */
  readonly listTeamMembers: { readonly input: ListTeamMembersInput; readonly output: Page<TeamMember> };
  /** Take a member of the workspace into a team. */
  readonly addTeamMember: { readonly input: AddTeamMemberInput; readonly output: Team };
  /** Take a member out of a team. */
  readonly removeTeamMember: { readonly input: RemoveTeamMemberInput; readonly output: Team };
  /** Identity providers that people of the workspace sign in by. */
  readonly listIdentityProviders: { readonly input: ListIdentityProvidersInput; readonly output: Page<IdentityProvider> };
  /** One identity provider, without its secret. */
  readonly readIdentityProvider: { readonly input: ReadIdentityProviderInput; readonly output: IdentityProvider };
  /** Add an identity provider (OpenID Connect), or change what the input names of it. */
  readonly putIdentityProvider: { readonly input: PutIdentityProviderInput; readonly output: IdentityProvider };
  /** Remove an identity provider: nobody signs in by it any more, and its tokens are refused at once. */
  readonly deleteIdentityProvider: { readonly input: DeleteIdentityProviderInput; readonly output: IdentityProvider };
  /** Invitations to the workspace, newest first; those that ended are kept for 90 days. */
  readonly listInvitations: { readonly input: ListInvitationsInput; readonly output: Page<Invitation> };
  /** One invitation, without its secret. */
  readonly readInvitation: { readonly input: ReadInvitationInput; readonly output: Invitation };
  /** Revoke an invitation at once; one that was accepted stays so. */
  readonly revokeInvitation: { readonly input: RevokeInvitationInput; readonly output: Invitation };
  /** Keys of the workspace: what wraps them, their versions, how far a rotation is. */
  readonly readEncryption: { readonly input: Readonly<Record<string, never>>; readonly output: Encryption };
  /** Make a new data key and seal everything anew with it, while the platform serves; one under way is answered as it is. */
  readonly rotateDataKey: { readonly input: Readonly<Record<string, never>>; readonly output: Encryption };
  /** Where one is signed in, newest first; at most 50. */
  readonly listLoginSessions: { readonly input: Readonly<Record<string, never>>; readonly output: ListLoginSessionsOutput };
  /** End one of your login sessions at once, with the streams that it holds open. */
  readonly revokeLoginSession: { readonly input: RevokeLoginSessionInput; readonly output: LoginSession };
  /** Your passkeys, newest first; at most 20. */
  readonly listPasskeys: { readonly input: Readonly<Record<string, never>>; readonly output: ListPasskeysOutput };
  /** Delete a passkey; nobody signs in with it any more. */
  readonly deletePasskey: { readonly input: DeletePasskeyInput; readonly output: Passkey };
  /** Which command line asks. */
  readonly readCommandLineLogin: { readonly input: ReadCommandLineLoginInput; readonly output: ReadCommandLineLoginOutput };
  /** Let it act for you; tells where the browser brings the answer, if anywhere. */
  readonly approveCommandLineLogin: { readonly input: ApproveCommandLineLoginInput; readonly output: ApproveCommandLineLoginOutput };
  /** Who did what, newest first, as the sealed log has it. */
  readonly listAudit: { readonly input: ListAuditInput; readonly output: ListAuditOutput };
  /** The chain of a period, oldest first: JSONL that can be verified, or CSV to look at. */
  readonly exportAudit: { readonly input: ExportAuditInput; readonly output: Readonly<Record<string, never>> };
  /** Signed checkpoints of the chain, newest first, and the keys that sign. */
  readonly listAuditCheckpoints: { readonly input: ListAuditCheckpointsInput; readonly output: ListAuditCheckpointsOutput };
  /** Keys, members, roles, service accounts and identity providers that are not what the log said last. */
  readonly readAuditState: { readonly input: Readonly<Record<string, never>>; readonly output: ReadAuditStateOutput };
  /** What runs here: the version, its bill of materials, and which controls it has. */
  readonly readProgram: { readonly input: Readonly<Record<string, never>>; readonly output: ReadProgramOutput };
  /** Sign the digests of files that were collected as evidence, with who collected them and when. */
  readonly sealEvidence: { readonly input: SealEvidenceInput; readonly output: EvidenceSeal };
  /** Patterns of the workspace by name. */
  readonly listPatterns: { readonly input: ListPatternsInput; readonly output: Page<Pattern> };
  /** Create a pattern and publish its first version. */
  readonly createPattern: { readonly input: CreatePatternInput; readonly output: Pattern };
  /** One pattern with its labels and newest version. */
  readonly readPattern: { readonly input: ReadPatternInput; readonly output: Pattern };
  /** Delete a pattern; it can be restored. */
  readonly deletePattern: { readonly input: DeletePatternInput; readonly output: Pattern };
  /** Bring a deleted pattern back with all its versions. */
  readonly restorePattern: { readonly input: RestorePatternInput; readonly output: Pattern };
  /** Publish an immutable version; the same content answers the version that has it. */
  readonly publishVersion: { readonly input: PublishVersionInput; readonly output: PatternVersion };
  /** Versions of a pattern, newest first. */
  readonly listVersions: { readonly input: ListVersionsInput; readonly output: Page<VersionSummary> };
  /** One version with its files. */
  readonly readVersion: { readonly input: ReadVersionInput; readonly output: PatternVersion };
  /** Point a label at a version. */
  readonly setLabel: { readonly input: SetLabelInput; readonly output: Pattern };
  /** Remove a label. */
  readonly removeLabel: { readonly input: RemoveLabelInput; readonly output: Pattern };
  /** What changed between two versions: files and settings. */
  readonly diffVersions: { readonly input: DiffVersionsInput; readonly output: VersionDiff };
  /** Who pointed which label where and when, newest first. */
  readonly listLabelMoves: { readonly input: ListLabelMovesInput; readonly output: Page<LabelMove> };
  /** Say that a pattern should not be used any more; runs of it go on. */
  readonly deprecatePattern: { readonly input: DeprecatePatternInput; readonly output: Pattern };
  /** Take a deprecation back. */
  readonly liftDeprecation: { readonly input: LiftDeprecationInput; readonly output: Pattern };
  /** Let a team own a pattern, or nobody: only its members and holders of team:write then change it. */
  readonly setPatternTeam: { readonly input: SetPatternTeamInput; readonly output: Pattern };
  /** Strategies of the workspace by name. */
  readonly listStrategies: { readonly input: ListStrategiesInput; readonly output: Page<Strategy> };
  /** One strategy. */
  readonly readStrategy: { readonly input: ReadStrategyInput; readonly output: Strategy };
  /** Create or replace a strategy. */
  readonly putStrategy: { readonly input: PutStrategyInput; readonly output: Strategy };
  /** Delete a strategy. */
  readonly deleteStrategy: { readonly input: DeleteStrategyInput; readonly output: Strategy };
  /** Contexts of the workspace by name, without their texts. */
  readonly listContexts: { readonly input: ListContextsInput; readonly output: Page<ContextSummary> };
  /** One context with its text. */
  readonly readContext: { readonly input: ReadContextInput; readonly output: Context };
  /** Create or replace a context. */
  readonly putContext: { readonly input: PutContextInput; readonly output: ContextSummary };
  /** Delete a context and its text. */
  readonly deleteContext: { readonly input: DeleteContextInput; readonly output: ContextSummary };
  /** Sessions of the workspace by name, without their texts. */
  readonly listSessions: { readonly input: ListSessionsInput; readonly output: Page<Session> };
  /** One session without its turns. */
  readonly readSession: { readonly input: ReadSessionInput; readonly output: Session };
  /** Turns of a session, oldest first. */
  readonly listTurns: { readonly input: ListTurnsInput; readonly output: Page<Turn> };
  /** Create or replace a session; runs make theirs by themselves. */
  readonly putSession: { readonly input: PutSessionInput; readonly output: Session };
  /** Delete a session with all its turns. */
  readonly deleteSession: { readonly input: DeleteSessionInput; readonly output: Session };
  /** Import a folder in Fabric's tree, all or nothing. */
  readonly importTree: { readonly input: ImportTreeInput; readonly output: ImportReport };
  /** Import a zip, tar or tar.gz that is sent as the body, all or nothing. */
  readonly importArchive: { readonly input: ImportArchiveInput; readonly output: ImportReport };
  /** Import one commit of a public git repository over https, all or nothing. */
  readonly importGit: { readonly input: ImportGitInput; readonly output: ImportReport };
  /** The same files as one archive. */
  readonly exportArchive: { readonly input: ExportArchiveInput; readonly output: Readonly<Record<string, never>> };
  /** The newest versions and the strategies as files of Fabric's tree. */
  readonly exportTree: { readonly input: ExportTreeInput; readonly output: Page<{
  readonly path: string;
  /** As it came, byte for byte, where it came from outside. */
  readonly content: string;
}> };
  /** Models that a run can name. */
  readonly listModels: { readonly input: Readonly<Record<string, never>>; readonly output: ListModelsOutput };
  /** Providers of the workspace, without their keys. */
  readonly listProviders: { readonly input: Readonly<Record<string, never>>; readonly output: ListProvidersOutput };
  /** How the providers have behaved in the last minute, as the answering process saw it. */
  readonly readProviderHealth: { readonly input: Readonly<Record<string, never>>; readonly output: ReadProviderHealthOutput };
  /** Add a provider, or change what the body names of it. */
  readonly putProvider: { readonly input: PutProviderInput; readonly output: Provider };
  /** Call a provider once with a few tokens and tell how it went. */
  readonly testProvider: { readonly input: TestProviderInput; readonly output: ProviderTest };
  /** Remove a provider and its key. */
  readonly deleteProvider: { readonly input: DeleteProviderInput; readonly output: Provider };
  /** Budgets of the workspace by name, with what is spent, reserved and left. */
  readonly listBudgets: { readonly input: ListBudgetsInput; readonly output: Page<Budget> };
  /** One budget with what is spent, reserved and left. */
  readonly readBudget: { readonly input: ReadBudgetInput; readonly output: Budget };
  /** Create a budget, or replace its limits; one that covers something else begins at nothing spent. */
  readonly putBudget: { readonly input: PutBudgetInput; readonly output: Budget };
  /** Remove a budget; what it limited is limited no more. */
  readonly deleteBudget: { readonly input: DeleteBudgetInput; readonly output: Budget };
  /** What addresses that people enter may lead to beyond the public internet, for each kind of address. */
  readonly readEgress: { readonly input: Readonly<Record<string, never>>; readonly output: ReadEgressOutput };
  /** Whether an address would be called, and why not; nothing is sent there. */
  readonly checkEgress: { readonly input: CheckEgressInput; readonly output: CheckEgressOutput };
  /** Run a version on an input and wait for the answer, stream it, or have it queued. */
  readonly createRun: { readonly input: CreateRunInput; readonly output: Run };
  /** The exact messages that a run would send; nothing is called. */
  readonly renderRun: { readonly input: RenderRunInput; readonly output: RenderRunOutput };
  /** Runs of the workspace, newest first. */
  readonly listRuns: { readonly input: ListRunsInput; readonly output: Page<RunSummary> };
  /** One run with its texts and attempts. */
  readonly readRun: { readonly input: ReadRunInput; readonly output: Run };
  /** Steps of a chain's run with their texts, in the order in which they began. */
  readonly listRunSteps: { readonly input: ListRunStepsInput; readonly output: ListRunStepsOutput };
  /** Run what a run ran, with the changes that the request names. */
  readonly rerunRun: { readonly input: RerunRunInput; readonly output: Run };
  /** The events of a run from a place in its output on: what has come, what comes, and the end. */
  readonly streamRun: { readonly input: StreamRunInput; readonly output: Run };
  /** Stop a run and its call to the model, whichever process executes it. */
  readonly cancelRun: { readonly input: CancelRunInput; readonly output: RunSummary };
  /** Run once more, asynchronously and as a new run, what a failed or cancelled run was to run. */
  readonly retryRun: { readonly input: RetryRunInput; readonly output: Run };
  /** Decide what a run waits for: an approval, or a call of which nobody knows whether it was answered. */
  readonly decideRun: { readonly input: DecideRunInput; readonly output: RunSummary };
  /** How many runs of the workspace are queued, running and waiting, and its limit. */
  readonly readQueue: { readonly input: Readonly<Record<string, never>>; readonly output: Queue };
  /** Limit how many queued runs of the workspace are executed at the same time. */
  readonly putQueue: { readonly input: PutQueueInput; readonly output: Queue };
  /** What is taken out of the texts of all runs of the workspace before they are stored; nothing by default. */
  readonly readRedaction: { readonly input: Readonly<Record<string, never>>; readonly output: Redaction };
  /** Have things taken out of the texts of all runs, beside what their patterns say; nothing lifts it. */
  readonly putRedaction: { readonly input: PutRedactionInput; readonly output: Redaction };
  /** Run a version on many inputs: from a list, or from JSONL or CSV that is uploaded as the body. */
  readonly createBatch: { readonly input: CreateBatchInput; readonly output: Batch };
  /** Batches of the workspace, newest first. */
  readonly listBatches: { readonly input: ListBatchesInput; readonly output: Page<Batch> };
  /** How far a batch is, what it cost and when it will end. */
  readonly readBatch: { readonly input: ReadBatchInput; readonly output: Batch };
  /** Begin no more runs of a batch; those under way end. */
  readonly pauseBatch: { readonly input: PauseBatchInput; readonly output: Batch };
  /** Go on with a batch that is paused. */
  readonly resumeBatch: { readonly input: ResumeBatchInput; readonly output: Batch };
  /** Stop a batch and the runs of it that are under way. */
  readonly cancelBatch: { readonly input: CancelBatchInput; readonly output: Batch };
  /** The ended lines in input order, up to the first that has not ended. */
  readonly readBatchResults: { readonly input: ReadBatchResultsInput; readonly output: Readonly<Record<string, never>> };
  /** Lines that were rejected or failed, in input order. */
  readonly listBatchErrors: { readonly input: ListBatchErrorsInput; readonly output: Page<BatchLineError> };
  /** Timers of the workspace by name. */
  readonly listTimers: { readonly input: ListTimersInput; readonly output: Page<TimerSummary> };
  /** One timer with what it starts. */
  readonly readTimer: { readonly input: ReadTimerInput; readonly output: Timer };
  /** Create or replace a timer: a run that the clock starts. */
  readonly putTimer: { readonly input: PutTimerInput; readonly output: TimerSummary };
  /** Delete a timer and its ticks; runs that it started stay. */
  readonly deleteTimer: { readonly input: DeleteTimerInput; readonly output: TimerSummary };
  /** Ticks of a timer, newest first. */
  readonly listTimerTicks: { readonly input: ListTimerTicksInput; readonly output: Page<TimerTick> };
  /** How long what is kept, and the least data class of runs. */
  readonly readRetention: { readonly input: Readonly<Record<string, never>>; readonly output: Retention };
  /** Set how long what is kept; what is over is removed soon afterwards. */
  readonly putRetention: { readonly input: PutRetentionInput; readonly output: Retention };
  /** What retention and erasures have removed, newest first, a row for each day, kind, class and environment. */
  readonly listRemovals: { readonly input: ListRemovalsInput; readonly output: Page<Removal> };
  /** Legal holds of the workspace by name. */
  readonly listHolds: { readonly input: ListHoldsInput; readonly output: Page<LegalHold> };
  /** Hold what is about a subject, of a pattern and of a period, as far as named: neither retention nor erasure removes it. */
  readonly putHold: { readonly input: PutHoldInput; readonly output: LegalHold };
  /** Lift a legal hold; retention removes what it held back. */
  readonly deleteHold: { readonly input: DeleteHoldInput; readonly output: LegalHold };
  /** All that is kept about an end user, a page at a time. */
  readonly exportSubject: { readonly input: ExportSubjectInput; readonly output: Page<SubjectRecord> };
  /** Erase what is kept about an end user; goes on by itself until a search finds nothing more. */
  readonly eraseSubject: { readonly input: EraseSubjectInput; readonly output: Erasure };
  /** Erasures, newest first; none names its subject. */
  readonly listErasures: { readonly input: ListErasuresInput; readonly output: Page<Erasure> };
  /** How far an erasure is, and what it removed. */
  readonly readErasure: { readonly input: ReadErasureInput; readonly output: Erasure };
  /** Providers, budgets, holds, retention and redaction that are not what the log said last. */
  readonly readPatternAuditState: { readonly input: Readonly<Record<string, never>>; readonly output: ReadPatternAuditStateOutput };
  /** Is the process itself alive. */
  readonly readLive: { readonly input: Readonly<Record<string, never>>; readonly output: ReadLiveOutput };
  /** Can it take requests now; 503 names the part that cannot. */
  readonly readReady: { readonly input: Readonly<Record<string, never>>; readonly output: ReadReadyOutput };
  /** This interface as OpenAPI 3.1. */
  readonly readOpenApi: { readonly input: Readonly<Record<string, never>>; readonly output: Readonly<Record<string, unknown>> };
  /** JSON Schema of pattern.yaml, for editors. */
  readonly readPatternSchema: { readonly input: Readonly<Record<string, never>>; readonly output: Readonly<Record<string, unknown>> };
  /** Who is signed in, in which workspaces, and the token that its writes need. */
  readonly readLogin: { readonly input: Readonly<Record<string, never>>; readonly output: ReadLoginOutput };
  /** Sign in with a one-time link; sets the cookie. */
  readonly signInWithLink: { readonly input: SignInWithLinkInput; readonly output: SignInWithLinkOutput };
  /** A link that signs the owner in once, within ten minutes. */
  readonly createLoginLink: { readonly input: Readonly<Record<string, never>>; readonly output: CreateLoginLinkOutput };
  /** What a browser needs to sign in with a passkey. */
  readonly startPasskeySignIn: { readonly input: Readonly<Record<string, never>>; readonly output: PasskeyOptions };
  /** Sign in with a passkey; sets the cookie. */
  readonly signInWithPasskey: { readonly input: SignInWithPasskeyInput; readonly output: SignInWithPasskeyOutput };
  /** End this login session. */
  readonly signOut: { readonly input: Readonly<Record<string, never>>; readonly output: Readonly<Record<string, never>> };
  /** What a browser needs to make a passkey. */
  readonly startPasskey: { readonly input: Readonly<Record<string, never>>; readonly output: PasskeyOptions };
  /** Keep a passkey for the next sign-in; the login session gets a new cookie. */
  readonly addPasskey: { readonly input: AddPasskeyInput; readonly output: Passkey };
  /** Ask a person to let a command line act for them. */
  readonly startCommandLineLogin: { readonly input: StartCommandLineLoginInput; readonly output: StartCommandLineLoginOutput };
  /** The login session of a command line, once the person has approved it. */
  readonly finishCommandLineLogin: { readonly input: FinishCommandLineLoginInput; readonly output: FinishCommandLineLoginOutput };
  /** Invite somebody with a role that holds no more than the caller does; the link is shown this once. */
  readonly createInvitation: { readonly input: CreateInvitationInput; readonly output: CreateInvitationOutput };
  /** Where an invitation leads to, and the ways to accept it; it is not used up. */
  readonly previewInvitation: { readonly input: PreviewInvitationInput; readonly output: PreviewInvitationOutput };
  /** Accept an invitation as somebody new; sets the cookie. */
  readonly acceptInvitation: { readonly input: AcceptInvitationInput; readonly output: AcceptInvitationOutput };
  /** Accept an invitation by signing in at an identity provider; answers where the browser goes. */
  readonly startInvitationSignIn: { readonly input: StartInvitationSignInInput; readonly output: StartInvitationSignInOutput };
  /** Accept an invitation as who is signed in; the login session gets a new cookie. */
  readonly joinWorkspace: { readonly input: JoinWorkspaceInput; readonly output: JoinWorkspaceOutput };
}

export type OperationName = keyof OperationTypes;

export interface OperationRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
}

/** Where each operation lives. */
export const operations: Readonly<Record<OperationName, OperationRoute>> = {
  readMe: { method: 'GET', path: '/v1/me' },
  readWorkspace: { method: 'GET', path: '/v1/workspace' },
  listKeys: { method: 'GET', path: '/v1/keys' },
  createKey: { method: 'POST', path: '/v1/keys' },
  readKey: { method: 'GET', path: '/v1/keys/{key}' },
  revokeKey: { method: 'DELETE', path: '/v1/keys/{key}' },
  listRoles: { method: 'GET', path: '/v1/roles' },
  putRole: { method: 'PUT', path: '/v1/roles/{custom_role}' },
  deleteRole: { method: 'DELETE', path: '/v1/roles/{custom_role}' },
  listMembers: { method: 'GET', path: '/v1/members' },
  readMember: { method: 'GET', path: '/v1/members/{member}' },
  changeMember: { method: 'PUT', path: '/v1/members/{member}' },
  removeMember: { method: 'DELETE', path: '/v1/members/{member}' },
  listServiceAccounts: { method: 'GET', path: '/v1/service-accounts' },
  putServiceAccount: { method: 'PUT', path: '/v1/service-accounts/{service_account}' },
  deleteServiceAccount: { method: 'DELETE', path: '/v1/service-accounts/{service_account}' },
  listTeams: { method: 'GET', path: '/v1/teams' },
  putTeam: { method: 'PUT', path: '/v1/teams/{team}' },
  deleteTeam: { method: 'DELETE', path: '/v1/teams/{team}' },
  listTeamMembers: { method: 'GET', path: '/v1/teams/{team}/members' },
  addTeamMember: { method: 'PUT', path: '/v1/teams/{team}/members/{member}' },
  removeTeamMember: { method: 'DELETE', path: '/v1/teams/{team}/members/{member}' },
  listIdentityProviders: { method: 'GET', path: '/v1/identity-providers' },
  readIdentityProvider: { method: 'GET', path: '/v1/identity-providers/{identity_provider}' },
  putIdentityProvider: { method: 'PUT', path: '/v1/identity-providers/{identity_provider}' },
  deleteIdentityProvider: { method: 'DELETE', path: '/v1/identity-providers/{identity_provider}' },
  listInvitations: { method: 'GET', path: '/v1/invitations' },
  readInvitation: { method: 'GET', path: '/v1/invitations/{invitation}' },
  revokeInvitation: { method: 'DELETE', path: '/v1/invitations/{invitation}' },
  readEncryption: { method: 'GET', path: '/v1/encryption' },
  rotateDataKey: { method: 'POST', path: '/v1/encryption/rotation' },
  listLoginSessions: { method: 'GET', path: '/v1/me/login-sessions' },
  revokeLoginSession: { method: 'DELETE', path: '/v1/me/login-sessions/{login_session}' },
  listPasskeys: { method: 'GET', path: '/v1/me/passkeys' },
  deletePasskey: { method: 'DELETE', path: '/v1/me/passkeys/{passkey}' },
  readCommandLineLogin: { method: 'GET', path: '/v1/me/command-line-logins/{user_code}' },
  approveCommandLineLogin: { method: 'POST', path: '/v1/me/command-line-logins/{user_code}/approval' },
  listAudit: { method: 'GET', path: '/v1/audit' },
  exportAudit: { method: 'GET', path: '/v1/audit/export' },
  listAuditCheckpoints: { method: 'GET', path: '/v1/audit/checkpoints' },
  readAuditState: { method: 'GET', path: '/v1/audit/state' },
  readProgram: { method: 'GET', path: '/v1/evidence/program' },
  sealEvidence: { method: 'POST', path: '/v1/evidence/seals' },
  listPatterns: { method: 'GET', path: '/v1/patterns' },
  createPattern: { method: 'POST', path: '/v1/patterns' },
  readPattern: { method: 'GET', path: '/v1/patterns/{pattern}' },
  deletePattern: { method: 'DELETE', path: '/v1/patterns/{pattern}' },
  restorePattern: { method: 'POST', path: '/v1/patterns/{pattern}/restore' },
  publishVersion: { method: 'POST', path: '/v1/patterns/{pattern}/versions' },
  listVersions: { method: 'GET', path: '/v1/patterns/{pattern}/versions' },
  readVersion: { method: 'GET', path: '/v1/patterns/{pattern}/versions/{version}' },
  setLabel: { method: 'PUT', path: '/v1/patterns/{pattern}/labels/{label}' },
  removeLabel: { method: 'DELETE', path: '/v1/patterns/{pattern}/labels/{label}' },
  diffVersions: { method: 'GET', path: '/v1/patterns/{pattern}/diff' },
  listLabelMoves: { method: 'GET', path: '/v1/patterns/{pattern}/label-moves' },
  deprecatePattern: { method: 'PUT', path: '/v1/patterns/{pattern}/deprecation' },
  liftDeprecation: { method: 'DELETE', path: '/v1/patterns/{pattern}/deprecation' },
  setPatternTeam: { method: 'PUT', path: '/v1/patterns/{pattern}/team' },
  listStrategies: { method: 'GET', path: '/v1/strategies' },
  readStrategy: { method: 'GET', path: '/v1/strategies/{strategy}' },
  putStrategy: { method: 'PUT', path: '/v1/strategies/{strategy}' },
  deleteStrategy: { method: 'DELETE', path: '/v1/strategies/{strategy}' },
  listContexts: { method: 'GET', path: '/v1/contexts' },
  readContext: { method: 'GET', path: '/v1/contexts/{context}' },
  putContext: { method: 'PUT', path: '/v1/contexts/{context}' },
  deleteContext: { method: 'DELETE', path: '/v1/contexts/{context}' },
  listSessions: { method: 'GET', path: '/v1/sessions' },
  readSession: { method: 'GET', path: '/v1/sessions/{session}' },
  listTurns: { method: 'GET', path: '/v1/sessions/{session}/turns' },
  putSession: { method: 'PUT', path: '/v1/sessions/{session}' },
  deleteSession: { method: 'DELETE', path: '/v1/sessions/{session}' },
  importTree: { method: 'POST', path: '/v1/imports' },
  importArchive: { method: 'POST', path: '/v1/imports/archive' },
  importGit: { method: 'POST', path: '/v1/imports/git' },
  exportArchive: { method: 'GET', path: '/v1/exports/archive' },
  exportTree: { method: 'GET', path: '/v1/exports' },
  listModels: { method: 'GET', path: '/v1/models' },
  listProviders: { method: 'GET', path: '/v1/providers' },
  readProviderHealth: { method: 'GET', path: '/v1/providers/health' },
  putProvider: { method: 'PUT', path: '/v1/providers/{provider}' },
  testProvider: { method: 'POST', path: '/v1/providers/{provider}/test' },
  deleteProvider: { method: 'DELETE', path: '/v1/providers/{provider}' },
  listBudgets: { method: 'GET', path: '/v1/budgets' },
  readBudget: { method: 'GET', path: '/v1/budgets/{budget}' },
  putBudget: { method: 'PUT', path: '/v1/budgets/{budget}' },
  deleteBudget: { method: 'DELETE', path: '/v1/budgets/{budget}' },
  readEgress: { method: 'GET', path: '/v1/egress' },
  checkEgress: { method: 'POST', path: '/v1/egress/check' },
  createRun: { method: 'POST', path: '/v1/runs' },
  renderRun: { method: 'POST', path: '/v1/render' },
  listRuns: { method: 'GET', path: '/v1/runs' },
  readRun: { method: 'GET', path: '/v1/runs/{run}' },
  listRunSteps: { method: 'GET', path: '/v1/runs/{run}/steps' },
  rerunRun: { method: 'POST', path: '/v1/runs/{run}/rerun' },
  streamRun: { method: 'GET', path: '/v1/runs/{run}/events' },
  cancelRun: { method: 'POST', path: '/v1/runs/{run}/cancel' },
  retryRun: { method: 'POST', path: '/v1/runs/{run}/retry' },
  decideRun: { method: 'POST', path: '/v1/runs/{run}/decisions' },
  readQueue: { method: 'GET', path: '/v1/queue' },
  putQueue: { method: 'PUT', path: '/v1/queue' },
  readRedaction: { method: 'GET', path: '/v1/redaction' },
  putRedaction: { method: 'PUT', path: '/v1/redaction' },
  createBatch: { method: 'POST', path: '/v1/batches' },
  listBatches: { method: 'GET', path: '/v1/batches' },
  readBatch: { method: 'GET', path: '/v1/batches/{batch}' },
  pauseBatch: { method: 'POST', path: '/v1/batches/{batch}/pause' },
  resumeBatch: { method: 'POST', path: '/v1/batches/{batch}/resume' },
  cancelBatch: { method: 'POST', path: '/v1/batches/{batch}/cancel' },
  readBatchResults: { method: 'GET', path: '/v1/batches/{batch}/results' },
  listBatchErrors: { method: 'GET', path: '/v1/batches/{batch}/errors' },
  listTimers: { method: 'GET', path: '/v1/timers' },
  readTimer: { method: 'GET', path: '/v1/timers/{timer}' },
  putTimer: { method: 'PUT', path: '/v1/timers/{timer}' },
  deleteTimer: { method: 'DELETE', path: '/v1/timers/{timer}' },
  listTimerTicks: { method: 'GET', path: '/v1/timers/{timer}/ticks' },
  readRetention: { method: 'GET', path: '/v1/retention' },
  putRetention: { method: 'PUT', path: '/v1/retention' },
  listRemovals: { method: 'GET', path: '/v1/retention/removals' },
  listHolds: { method: 'GET', path: '/v1/holds' },
  putHold: { method: 'PUT', path: '/v1/holds/{hold}' },
  deleteHold: { method: 'DELETE', path: '/v1/holds/{hold}' },
  exportSubject: { method: 'POST', path: '/v1/subjects/export' },
  eraseSubject: { method: 'POST', path: '/v1/subjects/erasures' },
  listErasures: { method: 'GET', path: '/v1/subjects/erasures' },
  readErasure: { method: 'GET', path: '/v1/subjects/erasures/{erasure}' },
  readPatternAuditState: { method: 'GET', path: '/v1/audit/state/patterns' },
  readLive: { method: 'GET', path: '/livez' },
  readReady: { method: 'GET', path: '/readyz' },
  readOpenApi: { method: 'GET', path: '/openapi.json' },
  readPatternSchema: { method: 'GET', path: '/schemas/pattern.json' },
  readLogin: { method: 'GET', path: '/v1/login' },
  signInWithLink: { method: 'POST', path: '/v1/login/link' },
  createLoginLink: { method: 'POST', path: '/v1/login-links' },
  startPasskeySignIn: { method: 'POST', path: '/v1/login/passkey/options' },
  signInWithPasskey: { method: 'POST', path: '/v1/login/passkey' },
  signOut: { method: 'DELETE', path: '/v1/login' },
  startPasskey: { method: 'POST', path: '/v1/me/passkeys/options' },
  addPasskey: { method: 'POST', path: '/v1/me/passkeys' },
  startCommandLineLogin: { method: 'POST', path: '/v1/login/command-line' },
  finishCommandLineLogin: { method: 'POST', path: '/v1/login/command-line/{login}' },
  createInvitation: { method: 'POST', path: '/v1/invitations' },
  previewInvitation: { method: 'POST', path: '/v1/login/invitation/options' },
  acceptInvitation: { method: 'POST', path: '/v1/login/invitation' },
  startInvitationSignIn: { method: 'POST', path: '/v1/login/invitation/provider' },
  joinWorkspace: { method: 'POST', path: '/v1/me/invitations' },
};

/** The HTTP status of each code. */
export const errorStatuses: Readonly<Record<ErrorCode, number>> = {
  invalid_request: 400,
  invalid_cursor: 400,
  two_credentials: 400,
  key_in_query: 400,
  missing_variable: 400,
  invalid_variable: 400,
  unauthenticated: 401,
  invalid_sign_in: 400,
  sign_in_refused: 401,
  forbidden: 403,
  sso_required: 403,
  csrf: 403,
  authorization_revoked: 403,
  not_found: 404,
  workspace_shredded: 410,
  model_not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  already_exists: 409,
  version_conflict: 409,
  batch_finished: 409,
  run_finished: 409,
  not_released: 409,
  idempotency_in_progress: 409,
  payload_gone: 409,
  on_hold: 409,
  subject_erasing: 409,
  run_not_failed: 409,
  not_waiting: 409,
  run_cancelled: 409,
  not_approved: 409,
  precondition_failed: 412,
  too_large: 413,
  unsupported_media_type: 415,
  idempotency_key_reused: 422,
  policy_refused: 422,
  invalid_pattern: 422,
  invalid_tree: 422,
  invalid_batch: 422,
  invalid_archive: 422,
  invalid_repository: 422,
  in_use: 409,
  session_busy: 409,
  import_conflict: 409,
  capability_disabled: 422,
  egress_denied: 422,
  secret_required: 422,
  input_too_long: 422,
  session_too_long: 422,
  attachment_not_supported: 422,
  rate_limited: 429,
  budget_exceeded: 429,
  price_unknown: 422,
  headers_too_large: 431,
  internal: 500,
  provider_error: 502,
  provider_protocol_error: 502,
  provider_auth: 502,
  truncated: 502,
  invalid_output: 502,
  output_blocked: 422,
  content_refused: 422,
  interrupted: 502,
  gave_up: 502,
  timeout: 504,
  no_model: 503,
  provider_busy: 503,
  overloaded: 503,
  unavailable: 503,
  unrecorded: 503,
  slow_consumer: 503,
};

