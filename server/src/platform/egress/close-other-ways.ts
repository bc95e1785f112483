import { AppError } from '../app-error.ts';

const ways = ['fetch', 'WebSocket', 'EventSource'] as const;

/**
 * Takes Node's own clients away from a thread: packages call them with addresses of their own choice, such as the list of
 * revoked certificates that a certificate names. Whoever needs a call is given one that passes the guard.
 */
export function closeOtherWays(place: object = globalThis): void {
  for (const name of ways) {
    Object.defineProperty(place, name, {
      value: function refuse() {
        const reason = new AppError('egress_denied', `${name} is closed here. Calls leave through platform/egress.`);
        if (name === 'fetch') return Promise.reject(reason);
        throw reason;
      },
      writable: false,
      configurable: false,
    });
  }
}
