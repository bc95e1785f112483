import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Method, Operation } from '@damask/contracts/operation.ts';
import { AppError, notFound, toAppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { buildQueryDecoder, type QueryDecoder } from '#platform/query-decoder.ts';
import type { AuditNotes } from './audit-notes.ts';
import { type BodyShare, createBodyBudget } from './body-budget.ts';
import { createByteStream, typeOfAnswer } from './byte-stream.ts';
import { type ClientAddress, createClientAddress } from './client-address.ts';
import { closeUntaken } from './close-untaken.ts';
import type { Cors } from './cors.ts';
import { createEventStream } from './event-stream.ts';
import { createLoadShedding } from './load-shedding.ts';
import { type Called, noteRead, noteRefusal } from './note-calls.ts';
import { openUpload } from './open-upload.ts';
import { anyone, type Principal } from './principal.ts';
import { sendProblem } from './problem.ts';
import { discardBody } from './read-body.ts';
import { addHeaders, type HeaderField, listHeaderFields, readDeadline, readReason } from './read-headers.ts';
import { readBytes, readInput, readParameters, readQuery, withParameters } from './read-input.ts';
import type { RequestLimits } from './request-limits.ts';
import type { Match, Route, RouteTable } from './routes.ts';
import { isScimAddress, scimType, toScimProblem } from './scim-problem.ts';
import { sendAnswer } from './send-answer.ts';
import type { Visits } from './visits.ts';
import { createCallerWatch } from './watch-callers.ts';

type AnyCall = (context: CallContext, input: unknown) => Promise<unknown>;

export interface DispatchOptions {
  readonly routes: RouteTable;
  readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Who sends this? Throws `unauthenticated` and its relatives. */
  readonly authenticate: (request: IncomingMessage, permission?: string) => Principal;
  /** What has to be done before `authenticate` can tell; nothing for keys and logins. */
  readonly prepare?: (request: IncomingMessage) => Promise<void> | undefined;
  /** What an operation asks of its caller; the contract, except where a test plants a fault. */
  readonly permissionOf?: (operation: Operation) => Operation['permission'];
  /** Parses large bodies away from the event loop. */
  readonly parseLarge: (bytes: Buffer) => Promise<unknown>;
  readonly observe: (route: Route | undefined, status: number, milliseconds: number) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** Asked first, where pages of other origins may call. */
  readonly cors?: Cors | undefined;
  /** Requests at the same time, health excepted; more are refused with 503. */
  readonly concurrency: number;
  /** Milliseconds that the event loop may be behind before requests are refused; no bound unless told. */
  readonly longestLag?: number;
  /** How often and how much at once; without it there is no limit. */
  readonly limits?: RequestLimits;
  readonly addressOf?: ClientAddress;
  /** Where operations of the gateway find the request behind their call. */
  readonly visits?: Pick<Visits, 'open'>;
  /** Takes down what was refused, and who read what is sensitive. */
  readonly notes?: Pick<AuditNotes, 'note'>;
  /** Bytes of bodies that all requests together may hold; 256 MiB by default. */
  readonly bodyBudget?: number;
}

export interface Dispatch {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Requests that are being answered. */
  readonly active: number;
}

/** 64 of the largest runs; what becomes of a body while it is parsed and sent on takes about three times as much. */
const standardBodyBudget = 256 * 1024 * 1024;
const longestQuery = 16_384;
const scimForm = { type: scimType, write: toScimProblem };
const plainDeadline = 30_000;
const runDeadline = 3_700_000;

/** The one choke point of the edge: route, credential, permission, limits, body; then the service's door. */
export function createDispatch(options: DispatchOptions): Dispatch {
  const { routes, services, clock, log, observe } = options;
  const permissionOf = options.permissionOf ?? ((operation) => operation.permission);
  const prepared = new Map(routes.all.map((route) => [route, prepare(route, services)]));
  const bodies = createBodyBudget(options.bodyBudget ?? standardBodyBudget);
  const callers = createCallerWatch(options.authenticate, clock);
  const { limits, addressOf = createClientAddress([]), concurrency, longestLag = 0 } = options;
  const load = createLoadShedding({ clock, concurrency, longestLag });
  let active = 0;

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
    chosen: Chosen,
    share: BodyShare,
  ) {
    const url = withoutOrigin(request.url ?? '/');
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    const match = routes.find(path);
    const route = match?.methods.get((request.method === 'HEAD' ? 'GET' : request.method) as Method);
    if (route?.operation.shed !== 'never') limits?.arrive(addressOf(request), response);
    if (!match) throw notFound();
    if (!route || (request.method === 'HEAD' && isReadOnce(route.operation)))
      throw methodNotAllowed(match, request.method ?? '');
    chosen.route = route;
    chosen.match = match;
    const { operation } = route;
    load.admit(operation, active);
    const permission = permissionOf(operation);
    const waiting = permission === 'public' ? undefined : options.prepare?.(request);
    if (waiting) await waiting;
    const caller = permission === 'public' ? anyone : options.authenticate(request, permission);
    chosen.caller = caller;
    requirePermission(caller, permission);
    if (permission !== 'public' && limits) {
      // Who acts in no workspace is counted alone: all of them together would otherwise share one limit.
      const counted = permission === 'account' ? { ...caller, workspace: caller.actor.id } : caller;
      limits.admit(counted, response);
      chosen.end = operation.shed === 'last' ? undefined : limits.begin(counted);
    }

    const { call, decoder, takesBody, headers } = prepared.get(route) as Prepared;
    const parameters = readParameters(match.parameters, decoder);
    const query = mark < 0 ? '' : url.slice(mark + 1);
    const body = operation.bodyTypes && (await readBytes(request, operation, share));
    const upload = openUpload(request, operation, clock);
    const input = operation.openQuery
      ? readQuery(request, { query: query.slice(0, longestQuery) }, parameters)
      : body || upload
        ? withParameters(decoder.query(query), parameters)
        : takesBody
          ? await readInput(request, operation, parameters, query, share, options.parseLarge)
          : readQuery(request, decoder.query(query), parameters);
    addHeaders(request, headers, input);

    const abort = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) abort.abort();
    });
    // Left already, while the body was parsed.
    if (response.destroyed) abort.abort();
    const streamed = operation.events !== undefined && (operation.alwaysStreams === true || input.stream === true);
    const stream = operation.answerTypes
      ? createByteStream(response, requestId, typeOfAnswer(operation, input))
      : streamed
        ? createEventStream(response, requestId)
        : undefined;
    const reason = readReason(request);
    const context: CallContext = {
      requestId,
      address: addressOf(request),
      ...(reason === undefined ? {} : { reason }),
      workspace: caller.workspace,
      actor: caller.actor,
      permissions: caller.permissions,
      reach: caller.reach,
      deadline: readDeadline(request, clock, operation.timeoutMs ?? (operation.events ? runDeadline : plainDeadline)),
      signal: abort.signal,
      ...(body ? { body } : {}),
      ...(upload ? { upload } : {}),
      ...(stream ? { sink: stream } : {}),
    };
    if (route.service === 'gateway') options.visits?.open(context, request, response);
    const takesLong = operation.events !== undefined && permission !== 'public';
    if (takesLong) callers.watch(request, abort);
    try {
      const output = await call(context, input);
      if (operation.audited) noteRead(options.notes, chosen, context, output);
      if (!stream?.end()) sendAnswer(request, response, operation, output, requestId, statusFor(operation, input));
    } finally {
      if (takesLong) callers.forget(abort);
    }
    closeUntaken(response, clock);
  }

  return {
    get active() {
      return active;
    },
    async handle(request, response) {
      if (options.cors?.(request, response)) return;
      const started = clock.monotonic();
      const requestId = clock.uuid();
      const chosen: Chosen = {};
      const share = bodies.open();
      active += 1;
      try {
        await answer(request, response, requestId, chosen, share);
      } catch (error) {
        const failure = toAppError(error);
        noteRefusal(options.notes, chosen, { code: failure.code, address: addressOf(request), requestId });
        if (failure.code === 'internal') {
          log.error('A request failed', { request_id: requestId, operation: chosen.route?.name, error });
        } else if (failure.cause) {
          log.warn('A request was refused', { request_id: requestId, code: failure.code, error: failure.cause });
        }
        const form = isScimAddress(request.url) ? scimForm : undefined;
        sendProblem(response, failure, requestId, allowHeader(failure), form);
        discardBody(request, response);
      } finally {
        active -= 1;
        share.release();
        chosen.end?.();
        observe(chosen.route, response.statusCode, clock.monotonic() - started);
      }
    },
  };
}

/** What HEAD cannot ask for. */
function isReadOnce({ alwaysStreams, answerTypes, redirects }: Operation): boolean {
  return alwaysStreams === true || answerTypes !== undefined || redirects === true;
}

function statusFor({ status, statusWhen }: Operation, input: Readonly<Record<string, unknown>>): number {
  return statusWhen !== undefined && input[statusWhen.field] === statusWhen.value ? statusWhen.status : status;
}

const origin = /^https?:\/\/[^/?#]*/i;

/** Proxies may send the whole address; which host they name makes no difference here. */
function withoutOrigin(target: string): string {
  return target.startsWith('/') ? target : target.replace(origin, '');
}

/** What becomes known of a request while it is answered. */
interface Chosen extends Called {
  end?: (() => void) | undefined;
}

interface Prepared {
  readonly call: AnyCall;
  readonly decoder: QueryDecoder;
  readonly takesBody: boolean;
  readonly headers: readonly HeaderField[];
}

function prepare(route: Route, services: DispatchOptions['services']): Prepared {
  const { service, name, operation } = route;
  const call = services[service]?.[name] as AnyCall | undefined;
  if (!call) throw new Error(`Nothing serves ${service}.${name}; check --services`);
  const takesBody = operation.method !== 'GET' && operation.method !== 'DELETE';
  return { call, takesBody, decoder: buildQueryDecoder(operation), headers: listHeaderFields(operation) };
}

/** The one check of what a caller may do. */
export function requirePermission(caller: Principal, permission: Operation['permission']) {
  if (permission === 'public') return;
  if (permission === 'account') {
    if (caller.actor.session === undefined) throw peopleOnly();
    return;
  }
  if (permission === 'internal' || !caller.permissions.has(permission)) {
    throw new AppError(
      'forbidden',
      `This needs the permission ${permission}, which the role ${caller.actor.role} does not hold. Use another key, or ask an admin.`,
      { need: permission },
    );
  }
}

function peopleOnly(): AppError {
  return new AppError(
    'forbidden',
    'Only somebody who signed in does this, no key. Sign in on the page of the server.',
    {
      need: 'account',
    },
  );
}

function methodNotAllowed({ methods }: Match, method: string): AppError {
  const read = methods.get('GET');
  const allowed = [...methods.keys(), ...(read && !read.operation.alwaysStreams ? ['HEAD'] : [])];
  return new AppError('method_not_allowed', `This address takes ${allowed.join(', ')}, not ${method}.`, {
    problems: allowed.map((name) => ({ pointer: '', detail: name })),
  });
}

function allowHeader(error: AppError): Record<string, string> {
  if (error.code !== 'method_not_allowed') return {};
  return { allow: (error.details.problems ?? []).map((problem) => problem.detail).join(', ') };
}
