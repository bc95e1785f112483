/** How long a login session lasts, in milliseconds. */
export interface LoginLimits {
  /** Without being used. */
  readonly idleMs: number;
  /** In any case. */
  readonly longestMs: number;
}

export const standardLoginLimits: LoginLimits = { idleMs: 12 * 3_600_000, longestMs: 14 * 86_400_000 };

/** The topic whose version moves when a login session begins or ends. */
export const loginSessionsTopic = 'identity.login-sessions';

/** Live login sessions of an account; with one more the oldest ends. */
export const sessionsMost = 50;
export const passkeysMost = 20;
