import type { Redaction } from '@damask/contracts/guard.ts';
import type { Message, Tool, ToolChoice } from '@damask/contracts/message.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import type { Parameters } from '@damask/contracts/parameters.ts';
import type { DataClass, Deprecation } from '@damask/contracts/pattern-settings.ts';
import type { runOperations } from '@damask/contracts/run-operations.ts';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import type { TextThreads } from '#platform/redact/text-threads.ts';
import { isChain } from '../chain/pin-chain.ts';
import { withFiles, withTexts } from '../conversation/attach.ts';
import type { ContextTexts } from '../conversation/context-texts.ts';
import { type ReadAttachment, readAttachments } from '../conversation/read-attachments.ts';
import type { DataBoundary } from '../guard/data-boundary.ts';
import { mergeRedaction } from '../guard/merge-redaction.ts';
import { redactRequest } from '../guard/redact-run.ts';
import { buildMessages } from '../library/build-messages.ts';
import type { LibraryPattern, LibraryTable } from '../library/library-table.ts';
import type { LibraryVersion } from '../library/library-version.ts';
import { classWith } from '../privacy/data-class.ts';
import { toToolMessages } from './tool-messages.ts';

export type RunRequest = InputOf<(typeof runOperations)['renderRun']>;

/** A request after everything that can be said before a model is called. */
export interface RunPlan {
  readonly pattern: string;
  /** What the version is of, whatever becomes of its name. */
  readonly patternId: string;
  readonly version: LibraryVersion;
  readonly texts: PlanTexts;
  readonly environment: string | null;
  readonly label: string | null;
  readonly messages: readonly Message[];
  readonly parameters: Parameters;
  /** What the request or the pattern asks for; null: the default. */
  readonly model: string | null;
  readonly language: string | null;
  /** The text of the user's message; attached texts are in it. */
  readonly said: string;
  readonly attachments: readonly ReadAttachment[];
  /** Set where the pattern should not be used any more. */
  readonly deprecated: Deprecation | null;
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice | null;
  /** Goes after everything else. */
  readonly toolMessages: readonly Message[];
  /** What is taken out of its texts before they are stored; null for most. */
  readonly redact: Redaction | null;
  /** The request as it was planned: where the model must not see all of it, without that. */
  readonly given: RunRequest;
  /** Of its version and the variables given; the workspace may demand a higher one. */
  readonly dataClass: DataClass;
}

/** What a plan took from things that may change, so that the same can be planned later. */
export interface PlanTexts {
  readonly strategy: string | undefined;
  readonly context: string | undefined;
  /** Milliseconds since 1970: the time that the pattern may tell. */
  readonly now: number;
}

export interface PlanParts {
  readonly library: LibraryTable;
  readonly contexts: ContextTexts;
  readonly clock: Clock;
  readonly engine: { readonly threads: TextThreads };
}

/** The environment that follows the newest version until a release pins it. */
const development = 'development';

const nothingAttached: readonly ReadAttachment[] = [];
const nothingSaid: readonly Message[] = [];

/**
 * Picks the version and builds the messages. Reads memory only, except for an older version that is named by number and
 * for a context that was not asked for lately.
 */
export async function planRun(parts: PlanParts, workspace: string, request: RunRequest): Promise<RunPlan> {
  const choice = await choosePlan(parts, workspace, request);
  const { redact } = choice;
  // Of a chain all that its steps are given is stored.
  if (redact === null || !(redact.model || isChain(choice.version))) return planVersion(choice, request);
  const given = await redactRequest(parts.engine.threads, redact, request);
  const attachments = given.attachments ? await readAttachments(given.attachments) : nothingAttached;
  return planVersion({ ...choice, attachments }, given);
}

/** Looks up what a request names, its input aside: one choice serves many inputs. Errors: `not_found`, `not_released`. */
export async function choosePlan(
  { library, contexts, clock }: Pick<PlanParts, 'library' | 'contexts' | 'clock'>,
  workspace: string,
  request: Omit<RunRequest, 'input' | 'variables'>,
): Promise<PlanChoice> {
  const pattern = library.find(workspace, request.pattern);
  if (!pattern) throw missing('pattern', '`damask patterns` lists them');
  const version = await chooseVersion(library, workspace, pattern, request);
  const strategy = request.strategy === undefined ? undefined : library.strategy(workspace, request.strategy);
  if (request.strategy !== undefined && !strategy) throw missing('strategy', '`damask strategies` lists them');
  const context = request.context === undefined ? undefined : await contexts.read(workspace, request.context);
  if (request.context !== undefined && context === undefined) throw missing('context', '`damask contexts` lists them');
  const attachments = request.attachments ? await readAttachments(request.attachments) : nothingAttached;
  const texts = { strategy: strategy?.prompt, context, now: clock.now() };
  const redact = mergeRedaction(version.redact, library.redaction(workspace));
  return { pattern, version, texts, attachments, redact };
}

/** What is run, with everything that had to be looked up. */
export interface PlanChoice {
  readonly pattern: Pick<LibraryPattern, 'id' | 'name' | 'deprecated'>;
  readonly version: LibraryVersion;
  readonly texts: PlanTexts;
  readonly attachments: readonly ReadAttachment[];
  readonly redact: Redaction | null;
}

/** Builds the messages of a version that was picked. */
export function planVersion(choice: PlanChoice, request: RunRequest): RunPlan {
  const { pattern, version, texts, attachments, redact } = choice;
  refuseLong(version, request.input, attachments);
  const language = request.language ?? version.language;
  const attached = attachments.length > 0 ? attachments.map(({ sha256 }) => sha256) : undefined;
  const messages = buildMessages(version, {
    input: request.input,
    variables: request.variables,
    strategy: texts.strategy,
    context: texts.context,
    language,
    attached,
    now: texts.now,
  });
  const boundary = attached && version.guards?.boundary?.({ ...request, attached });
  const said = attachTo(messages, attachments, boundary);
  const named = request.version !== undefined || request.label !== undefined;
  return {
    pattern: pattern.name,
    patternId: pattern.id,
    version,
    texts,
    environment: named ? null : (request.environment ?? development),
    label: request.label ?? null,
    messages,
    parameters: { ...version.parameters, ...request.parameters },
    model: request.model ?? version.model,
    language,
    said,
    attachments,
    deprecated: pattern.deprecated,
    tools: request.tools ?? version.tools,
    toolChoice: request.tool_choice ?? null,
    dataClass: classWith(version.data_class, version.classed, request.variables),
    toolMessages: request.tool_turns ? toToolMessages(request.tool_turns) : nothingSaid,
    redact,
    given: request,
  };
}

/** Puts attachments into the user's message, which is the last one. Answers its text. */
function attachTo(
  messages: Message[],
  attachments: readonly ReadAttachment[],
  boundary: DataBoundary | undefined,
): string {
  const user = messages.at(-1) as Message;
  const text = user.content as string;
  if (attachments.length === 0) return text;
  const said = withTexts(text, attachments, boundary?.around);
  messages[messages.length - 1] = { ...user, content: withFiles(said, attachments) };
  return said;
}

/** The version that a request names. Errors: `not_found`, `not_released`, `invalid_request` for two names. */
export async function chooseVersion(
  library: LibraryTable,
  workspace: string,
  pattern: LibraryPattern,
  { version, label, environment }: Pick<RunRequest, 'version' | 'label' | 'environment'>,
): Promise<LibraryVersion> {
  if ((version ?? label ?? environment) === undefined) return pattern.latest;
  const choices = Object.entries({ version, label, environment }).filter(([, value]) => value !== undefined);
  if (choices.length > 1) {
    const names = choices.map(([name]) => name);
    throw new AppError('invalid_request', `Say only one of ${names.join(' and ')}: each picks the version by itself.`, {
      pointer: `/${names[1]}`,
    });
  }
  if (version !== undefined) {
    const found = await library.version(workspace, pattern.name, version);
    if (!found) throw missing('version', '`damask show <pattern>` tells the newest');
    return found;
  }
  if (label !== undefined) {
    const found = pattern.labels.get(label);
    if (!found) throw missing('label', '`damask show <pattern>` lists its labels');
    return found;
  }
  if (environment !== undefined && environment !== development) {
    throw new AppError(
      'not_released',
      `Nothing is released to ${environment}. Name a version or a label, or use ${development}.`,
      { pointer: '/environment' },
    );
  }
  return pattern.latest;
}

/** What the author allows; texts that are attached are input, too. */
function refuseLong({ limits }: LibraryVersion, input: string, attachments: readonly ReadAttachment[]): void {
  if (limits.input_characters === null) return;
  const texts = attachments.filter(({ type }) => type === 'text');
  const characters = texts.reduce((sum, { data }) => sum + data.length, input.length);
  if (characters <= limits.input_characters) return;
  throw new AppError(
    'input_too_long',
    `The input holds ${characters} characters; this pattern takes ${limits.input_characters}. Send less, or split it.`,
    { pointer: '/input' },
  );
}

// The name itself stays out: an answer must not differ between an unknown name and one of another workspace.
function missing(what: string, next: string): AppError {
  return new AppError('not_found', `There is no such ${what} here; ${next}.`, { pointer: `/${what}` });
}
