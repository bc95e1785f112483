import { hash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Visit as Told } from '@damask/contracts/login.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { ClientAddress } from './client-address.ts';
import { requireOwnPage } from './csrf.ts';
import { clearedCookie, cookieNameFor, readSessionCookie, sessionCookie } from './session-cookie.ts';

/** A request of a browser, as operations of the gateway meet it. */
export interface Visit {
  readonly told: Told;
  /** Secret of the login session whose cookie came along. */
  readonly secret: string | undefined;
  /** The origin of our pages. Errors: `policy_refused` where nobody told it. */
  origin(): string;
  /** Errors: `csrf` for what another page sent. */
  requireOwnPage(): void;
  keep(cookie: { readonly secret: string; readonly seconds: number }): void;
  forget(): void;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export interface Visits {
  /** From now on `of` answers for this context. */
  open(context: CallContext, request: IncomingMessage, response: ServerResponse): void;
  of(context: CallContext): Visit;
}

/** Cookies and addresses stay at the edge: services are told what they need, and contexts that travel hold none of it. */
export function createVisits(options: {
  readonly origins: () => readonly string[];
  readonly addressOf: ClientAddress;
}): Visits {
  const { origins, addressOf } = options;
  const open = new WeakMap<CallContext, Visit>();

  function describe(request: IncomingMessage, response: ServerResponse): Visit {
    const name = cookieNameFor(origins()[0]);
    const secret = readSessionCookie(request.headers.cookie, name);
    return {
      told: {
        user_agent: printable(request.headers['user-agent'] ?? '').slice(0, 200),
        address: addressOf(request).slice(0, 100),
        previous: secret === undefined ? null : hash('sha256', secret, 'base64'),
      },
      secret,
      origin() {
        const [own] = origins();
        if (own !== undefined) return own;
        throw new AppError(
          'policy_refused',
          'People cannot sign in: the server does not know its address. The operator sets DAMASK_PUBLIC_URL, https.',
        );
      },
      requireOwnPage: () => requireOwnPage(request, origins()),
      keep: ({ secret: kept, seconds }) => response.appendHeader('set-cookie', sessionCookie(name, kept, seconds)),
      forget: () => response.appendHeader('set-cookie', clearedCookie(name)),
      request,
      response,
    };
  }

  return {
    open(context, request, response) {
      open.set(context, describe(request, response));
    },
    of(context) {
      const visit = open.get(context);
      if (!visit) throw new Error('Nobody told of the request behind this call');
      return visit;
    },
  };
}

const printable = (text: string) => text.replace(/[^\x20-\x7e]/g, '');
