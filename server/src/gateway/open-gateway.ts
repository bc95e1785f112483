import { serviceOperations } from '@damask/contracts/services.ts';
import type { Client } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import type { Metrics } from '#platform/metrics.ts';
import { createJsonWorkers } from '#platform/parse-in-worker.ts';
import type { SharedBuckets } from '#platform/redis/shared-buckets.ts';
import { openDoor } from '#platform/rpc/door.ts';
import { watchTopics } from '#platform/topic.ts';
import { buildAccountPage, buildApprovalPage } from './account-page.ts';
import { createAuditNotes } from './audit-notes.ts';
import { createAuthenticate } from './authenticate.ts';
import { createAuthenticateLogin } from './authenticate-login.ts';
import { createClientAddress } from './client-address.ts';
import { createCommandLineSignIn } from './command-line-sign-in.ts';
import { createCors } from './cors.ts';
import { createDispatch, type Dispatch, type DispatchOptions } from './dispatch.ts';
import { createFailedLogins } from './failed-logins.ts';
import { createGatewayOperations, type ReadyCheck } from './gateway-operations.ts';
import { buildHomePage } from './home-page.ts';
import { createInvitationSignIn } from './invitation-sign-in.ts';
import { createKeyTable } from './key-table.ts';
import { createKeyUses } from './key-uses.ts';
import { createLoginSessionTable } from './login-session-table.ts';
import { createMemberTable } from './member-table.ts';
import { buildOpenApi } from './openapi.ts';
import { createPrincipals } from './principals.ts';
import { createProviderSignIn } from './provider-sign-in.ts';
import { buildReferencePage } from './reference-page.ts';
import { type LimitSettings, openLimits } from './request-limits.ts';
import { buildRoutes, type RouteTable } from './routes.ts';
import { createSharedLimits } from './share-limits.ts';
import { createSignInOperations } from './sign-in-operations.ts';
import { createTokenTable } from './token-table.ts';
import { createVisits } from './visits.ts';

export interface GatewayOptions {
  /** A client for every service. */
  readonly clients: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly database: Database;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly concurrency: number;
  readonly longestLag?: number;
  /** How often keys, members, workspaces and addresses may call; without it nobody is limited. */
  readonly limits?: LimitSettings;
  /** Where the edges of all processes count together; without it each counts alone. */
  readonly sharedBuckets?: SharedBuckets | undefined;
  /** How many processes live; asked while the shared buckets do not answer. */
  readonly countProcesses?: () => Promise<number>;
  /** Addresses and CIDRs of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies?: readonly string[];
  /** Whose pages may call from a browser. */
  readonly corsOrigins?: readonly string[];
  /** Where our own pages are, the one for people first; without any nobody signs in. */
  readonly origins?: () => readonly string[];
  readonly checks: readonly ReadyCheck[];
  /** For tests that plant a fault: what an operation asks of its caller. */
  readonly permissionOf?: DispatchOptions['permissionOf'];
}

export interface Gateway {
  readonly dispatch: Dispatch;
  /** What can be reached from outside, and where. */
  readonly routes: RouteTable;
  /** Looks for new keys now. */
  refresh(): Promise<void>;
  /** Tells what the audit log is to know of refused calls and of reads, now; it does so every few seconds by itself. */
  tellAudit(): Promise<void>;
  stop(): Promise<void>;
}

const keysTopic = 'identity.keys';
const membersTopic = 'identity.members';
const loginsTopic = 'identity.login-sessions';
const providersTopic = 'identity.providers';
const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

/** The edge: who is it, may they, which operation. Follows the keys of the identity service. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { clients, clock, log, metrics } = options;
  const routes = buildRoutes(serviceOperations);
  const identity = clients.identity as unknown as Client<typeof serviceOperations.identity>;
  const origins = options.origins ?? (() => []);
  const keyTable = createKeyTable({ identity, clock });
  const memberTable = createMemberTable({ identity, clock });
  const loginSessions = createLoginSessionTable({ identity, clock, log });
  const principals = createPrincipals(keyTable, memberTable);
  const tokens = createTokenTable({ identity, principals, clock });
  const topics = await watchTopics({
    database: options.database,
    clock,
    log,
    followers: [
      { topic: keysTopic, load: () => keyTable.load() },
      { topic: membersTopic, load: () => memberTable.load() },
      { topic: loginsTopic, load: () => loginSessions.load() },
      { topic: providersTopic, load: () => tokens.load() },
    ],
  });
  const uses = createKeyUses({ identity, clock, log });
  const notes = createAuditNotes({ identity, clock, log });
  const workers = createJsonWorkers({ size: 1 });
  const addressOf = createClientAddress(options.trustedProxies ?? []);
  const { sharedBuckets: shared, countProcesses = async () => 1 } = options;
  const sharedLimits = shared && createSharedLimits({ shared, countProcesses, clock });
  const failedLogins = createFailedLogins({ clock });
  const visits = createVisits({ origins, addressOf });
  const own: Client<typeof serviceOperations.gateway> = openDoor(
    serviceOperations.gateway,
    {
      ...createGatewayOperations({
        checks: options.checks,
        openApi: () => openApi,
        referencePage: () => referencePage,
        homePage: () => homePage,
      }),
      ...createSignInOperations({
        identity,
        visits,
        failedLogins,
        refresh: () => topics.refresh(),
        clock,
        accountPage: () => accountPage,
      }),
      ...createProviderSignIn({ identity, visits, failedLogins, refresh: () => topics.refresh(), clock }),
      ...createInvitationSignIn({ identity, visits, failedLogins, refresh: () => topics.refresh(), clock }),
      ...createCommandLineSignIn({
        identity,
        visits,
        failedLogins,
        refresh: () => topics.refresh(),
        page: () => approvalPage,
      }),
    },
    { copy: false, checkOutput: false },
  );
  const openApi = buildOpenApi(routes.all, options.version);
  const referencePage = buildReferencePage(routes.all, options.version);
  const homePage = buildHomePage(options.version);
  const accountPage = buildAccountPage(options.version);
  const approvalPage = buildApprovalPage(options.version);
  const requests = metrics.counter('damask_requests_total', 'Requests that were answered', ['operation', 'status']);
  const duration = metrics.histogram('damask_request_duration_seconds', 'Time of an answer', ['operation'], seconds);
  const dispatch = createDispatch({
    routes,
    services: {
      ...clients,
      identity: followKeys(clients.identity as AnyCalls, () => topics.refresh()),
      gateway: own as unknown as Readonly<Record<string, unknown>>,
    },
    authenticate: createAuthenticate({
      principals,
      currentAt: () =>
        Math.min(
          topics.currentAt(keysTopic),
          topics.currentAt(membersTopic),
          topics.currentAt(loginsTopic),
          topics.currentAt(providersTopic),
        ),
      tokens,
      logins: createAuthenticateLogin({ sessions: loginSessions, principals, origins }),
      uses,
      failedLogins,
      clock,
      addressOf,
    }),
    prepare: (request) => tokens.prepare(request),
    addressOf,
    visits,
    notes,
    ...(options.limits ? { limits: openLimits(options.limits, sharedLimits, clock) } : {}),
    longestLag: options.longestLag ?? 0,
    parseLarge: (bytes) => workers.parse(bytes),
    observe(route, status, milliseconds) {
      const operation = route?.name ?? 'unknown';
      requests.of(operation, String(status)).add();
      duration.of(operation).observe(milliseconds / 1000);
    },
    clock,
    log,
    concurrency: options.concurrency,
    cors: createCors(options.corsOrigins ?? []),
    ...(options.permissionOf ? { permissionOf: options.permissionOf } : {}),
  });
  return {
    dispatch,
    routes,
    refresh: () => topics.refresh(),
    tellAudit: () => notes.flush(),
    async stop() {
      sharedLimits?.stop();
      await Promise.all([uses.stop(), notes.stop()]);
      await topics.stop();
      loginSessions.stop();
      await workers.close();
    },
  };
}

type AnyCalls = Readonly<Record<string, (context: unknown, input: unknown) => Promise<unknown>>>;

/** Who was just given or refused something is treated so at once here; other edges follow within a second. */
function followKeys(identity: AnyCalls, refresh: () => Promise<void>): AnyCalls {
  const followed = Object.entries(serviceOperations.identity)
    .filter(([, { method }]) => method !== 'GET')
    .map(([name]) => {
      const call: AnyCalls[string] = async (context, input) => {
        const answer = await identity[name]?.(context, input);
        await refresh().catch(() => undefined);
        return answer;
      };
      return [name, call] as const;
    });
  return { ...identity, ...Object.fromEntries(followed) };
}
