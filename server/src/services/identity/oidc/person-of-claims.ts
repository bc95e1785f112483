import { AppError } from '#platform/app-error.ts';

/** Who signed in, as the provider says. */
export interface Person {
  readonly subject: string;
  readonly name: string;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly groups: readonly string[];
}

export type Claims = Readonly<Record<string, unknown>>;

// Shown in terminals and lists: nothing in a name may move the cursor, hide or turn text round.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const emailForm = /^[^\s@]{1,64}@[^\s@]{1,255}$/;
const mostGroups = 1_000;

/** Throws `sign_in_refused` where a subject is missing or has no form that can be kept. */
export function personOfClaims(claims: Claims, groupsClaim: string): Person {
  const subject = claims.sub;
  if (typeof subject !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(subject)) {
    throw new AppError(
      'sign_in_refused',
      'The provider did not say who you are in a way that can be kept. Ask its operator.',
    );
  }
  const email = textOf(claims.email, 320);
  const known = email !== null && emailForm.test(email) ? email : null;
  return {
    subject,
    name: textOf(claims.name, 100) ?? textOf(claims.preferred_username, 100) ?? known ?? subject.slice(0, 100),
    email: known,
    // Some say "true".
    emailVerified: known !== null && (claims.email_verified === true || claims.email_verified === 'true'),
    groups: groupsOf(claimAt(claims, groupsClaim)),
  };
}

/** A claim by its name, or by a path such as `realm_access.roles`. */
export function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Claims)[part];
  }
  return value;
}

function groupsOf(value: unknown): string[] {
  const list = typeof value === 'string' ? [value] : Array.isArray(value) ? value : [];
  return list.filter((group): group is string => typeof group === 'string').slice(0, mostGroups);
}

function textOf(value: unknown, longest: number): string | null {
  if (typeof value !== 'string') return null;
  const text = value.replace(unprintable, '').trim().slice(0, longest);
  return text === '' ? null : text;
}
