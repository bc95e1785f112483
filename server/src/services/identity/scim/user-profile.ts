import type { Condition } from './parse-filter.ts';
import type { Change } from './parse-patch.ts';
import { attributeOf, isObject, type ScimObject } from './read-scim-body.ts';
import { invalid } from './scim-error.ts';

export interface Email {
  readonly value: string;
  readonly type?: string;
  readonly primary?: boolean;
}

/** What a directory says of a person, as far as it is kept here. */
export interface UserProfile {
  readonly userName: string;
  readonly externalId: string | null;
  readonly displayName: string | null;
  readonly formattedName: string | null;
  readonly givenName: string | null;
  readonly familyName: string | null;
  readonly emails: readonly Email[];
  readonly active: boolean;
}

type TextField = 'externalId' | 'displayName' | 'formattedName' | 'givenName' | 'familyName';

const textFields: Readonly<Record<string, TextField>> = {
  externalid: 'externalId',
  displayname: 'displayName',
  'name.formatted': 'formattedName',
  'name.givenname': 'givenName',
  'name.familyname': 'familyName',
};
const mostEmails = 10;
const longest = 255;
// Shown in terminals and lists: nothing in a name may move the cursor, hide or turn text round.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The whole of a person from a body. `active` stays what it was where the body is silent. Errors: `invalid_request`. */
export function readUserProfile(body: ScimObject, wasActive = true): UserProfile {
  const name = attributeOf(body, 'name') ?? {};
  if (!isObject(name)) throw invalid('/name', 'The name is an object with givenName and familyName.');
  const active = attributeOf(body, 'active') ?? undefined;
  return {
    userName: readUserName(attributeOf(body, 'userName'), '/userName'),
    externalId: readText(attributeOf(body, 'externalId'), '/externalId'),
    displayName: readText(attributeOf(body, 'displayName'), '/displayName'),
    formattedName: readText(attributeOf(name, 'formatted'), '/name/formatted'),
    givenName: readText(attributeOf(name, 'givenName'), '/name/givenName'),
    familyName: readText(attributeOf(name, 'familyName'), '/name/familyName'),
    emails: readEmails(attributeOf(body, 'emails'), '/emails'),
    active: active === undefined ? wasActive : readActive(active, '/active'),
  };
}

/** What a person is after the changes. Attributes that are not kept here are passed over. Errors: `invalid_request`. */
export function changeUserProfile(profile: UserProfile, changes: readonly Change[]): UserProfile {
  return changes.reduce(apply, profile);
}

function apply(profile: UserProfile, change: Change): UserProfile {
  const { op, attribute, within, value, pointer } = change;
  const at = `${pointer}/value`;
  const gone = op === 'remove';
  if (within.length > 0 && attribute.split('.')[0] !== 'emails') return profile;
  if (attribute === 'username') {
    if (gone) throw invalid(pointer, 'A person keeps a userName. Replace it instead.');
    return { ...profile, userName: readUserName(value, at) };
  }
  if (attribute === 'active') return { ...profile, active: gone ? false : readActive(value, at) };
  const field = Object.hasOwn(textFields, attribute) ? textFields[attribute] : undefined;
  if (field) return { ...profile, [field]: gone ? null : readText(value, at) };
  if (attribute === 'name') return gone ? withoutName(profile) : withName(profile, value, at);
  if (attribute === 'emails' && within.length === 0) {
    if (gone) return { ...profile, emails: [] };
    const given = readEmails(Array.isArray(value) ? value : [value], at);
    return { ...profile, emails: op === 'add' ? merge(profile.emails, given, at) : given };
  }
  if (attribute === 'emails' || attribute.startsWith('emails.'))
    return { ...profile, emails: someEmails(profile, change) };
  return profile;
}

const withoutName = (profile: UserProfile): UserProfile => ({
  ...profile,
  formattedName: null,
  givenName: null,
  familyName: null,
});

/** Parts that are not named stay. */
function withName(profile: UserProfile, value: unknown, pointer: string): UserProfile {
  if (!isObject(value)) throw invalid(pointer, 'The name is an object with givenName and familyName.');
  const part = (name: string, before: string | null) => {
    const given = attributeOf(value, name);
    return given === undefined ? before : readText(given, pointer);
  };
  return {
    ...profile,
    formattedName: part('formatted', profile.formattedName),
    givenName: part('givenName', profile.givenName),
    familyName: part('familyName', profile.familyName),
  };
}

function merge(emails: readonly Email[], given: readonly Email[], pointer: string): readonly Email[] {
  const known = new Set(given.map((email) => email.value.toLowerCase()));
  const primary = given.some((email) => email.primary);
  const kept = emails
    .filter((email) => !known.has(email.value.toLowerCase()))
    .map((email) => (primary ? { ...email, primary: false } : email));
  return bounded([...kept, ...given], pointer);
}

/** `emails[type eq "work"].value`, `emails[type eq "work"]` and `emails.value`. */
function someEmails({ emails }: UserProfile, { op, attribute, within, value, pointer }: Change): readonly Email[] {
  const at = `${pointer}/value`;
  const part = attribute.slice('emails.'.length);
  const meant = (email: Email) => within.every((condition) => holds(email, condition));
  if (op === 'remove') {
    if (part === '' || part === 'value') return emails.filter((email) => !meant(email));
    return emails.map((email) => (meant(email) ? without(email, part) : email));
  }
  const given: Partial<Email> = part === '' ? readEmail(value, at) : readPart(part, value, at);
  if (emails.some(meant))
    return bounded(
      emails.map((email) => (meant(email) ? { ...email, ...given } : email)),
      at,
    );
  if (given.value === undefined)
    throw invalid(pointer, 'No address is meant by this path. Add it with its value first.');
  const type = within.find((one) => one.attribute === 'type')?.value;
  const primary = within.find((one) => one.attribute === 'primary')?.value;
  return bounded(
    [
      ...emails,
      {
        ...(typeof type === 'string' ? { type } : {}),
        ...(primary === true ? { primary } : {}),
        ...given,
        value: given.value,
      },
    ],
    at,
  );
}

function without({ value, type, primary }: Email, part: string): Email {
  return {
    value,
    ...(type !== undefined && part !== 'type' ? { type } : {}),
    ...(primary !== undefined && part !== 'primary' ? { primary } : {}),
  };
}

function holds(email: Email, { attribute, operator, value }: Condition): boolean {
  const own = attribute === 'type' ? email.type : attribute === 'value' ? email.value : undefined;
  if (attribute === 'primary') return (email.primary ?? false) === value;
  if (own === undefined || typeof value !== 'string') return false;
  const [text, wanted] = [own.toLowerCase(), value.toLowerCase()];
  if (operator === 'eq') return text === wanted;
  return operator === 'co' ? text.includes(wanted) : text.startsWith(wanted);
}

function readPart(part: string, value: unknown, pointer: string): Partial<Email> {
  if (part === 'value') return { value: readAddress(value, pointer) };
  if (part === 'primary') return { primary: readActive(value, pointer) };
  const type = part === 'type' ? readText(value, pointer) : null;
  return type === null ? {} : { type };
}

function readEmails(value: unknown, pointer: string): readonly Email[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(pointer, 'Addresses come as a list of objects with a value.');
  return bounded(
    value.map((one, index) => readEmail(one, `${pointer}/${index}`)),
    pointer,
  );
}

function readEmail(value: unknown, pointer: string): Email {
  if (typeof value === 'string') return { value: readAddress(value, pointer) };
  if (!isObject(value)) throw invalid(pointer, 'An address is an object with a value.');
  const type = readText(attributeOf(value, 'type'), pointer);
  const primary = attributeOf(value, 'primary') ?? undefined;
  return {
    value: readAddress(attributeOf(value, 'value'), pointer),
    ...(type === null ? {} : { type }),
    ...(primary === undefined ? {} : { primary: readActive(primary, pointer) }),
  };
}

function bounded(emails: readonly Email[], pointer: string): readonly Email[] {
  if (emails.length > mostEmails) throw invalid(pointer, `A person has ${mostEmails} addresses at most.`);
  return emails;
}

function readAddress(value: unknown, pointer: string): string {
  const text = readText(value, pointer);
  if (text === null) throw invalid(pointer, 'An address is a text that is not empty.');
  return text;
}

function readUserName(value: unknown, pointer: string): string {
  const text = readText(value, pointer);
  if (text === null) throw invalid(pointer, 'A person needs a userName, such as an address.');
  return text;
}

/** Null for none. */
export function readText(value: unknown, pointer: string): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw invalid(pointer, 'This takes a text.');
  const text = value.replace(unprintable, '').trim();
  if (text.length > longest) throw invalid(pointer, `This takes ${longest} characters at most.`);
  return text === '' ? null : text;
}

// Some directories write booleans as texts, "False" among them.
function readActive(value: unknown, pointer: string): boolean {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  if (text === 'true' || text === 'false') return text === 'true';
  throw invalid(pointer, 'This takes true or false.');
}
