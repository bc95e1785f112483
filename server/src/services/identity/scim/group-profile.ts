import type { Condition } from './parse-filter.ts';
import type { Change } from './parse-patch.ts';
import { attributeOf, isObject, type ScimObject } from './read-scim-body.ts';
import { invalid } from './scim-error.ts';
import { readText } from './user-profile.ts';

/** What a directory says of a group. */
export interface GroupProfile {
  readonly displayName: string;
  readonly externalId: string | null;
  readonly members: ReadonlySet<string>;
}

const idForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The whole of a group from a body. Errors: `invalid_request`. */
export function readGroupProfile(body: ScimObject): GroupProfile {
  return {
    displayName: readName(attributeOf(body, 'displayName'), '/displayName'),
    externalId: readText(attributeOf(body, 'externalId'), '/externalId'),
    members: new Set(readMembers(attributeOf(body, 'members'), '/members')),
  };
}

/** What a group is after the changes. Attributes that are not kept here are passed over. Errors: `invalid_request`. */
export function changeGroupProfile(group: GroupProfile, changes: readonly Change[]): GroupProfile {
  let { displayName, externalId } = group;
  const members = new Set(group.members);
  for (const { op, attribute, within, value, pointer } of changes) {
    const at = `${pointer}/value`;
    if (attribute === 'displayname') {
      if (op === 'remove') throw invalid(pointer, 'A group keeps a displayName. Replace it instead.');
      displayName = readName(value, at);
    } else if (attribute === 'externalid') {
      externalId = op === 'remove' ? null : readText(value, at);
    } else if (attribute === 'members' || attribute === 'members.value') {
      if (within.length > 0) {
        // In the path, which is the usual form for one.
        if (op !== 'remove') throw invalid(pointer, 'Members are added by a value, without brackets in the path.');
        for (const account of meantBy(within, pointer)) members.delete(account);
        continue;
      }
      const named = readMembers(value, at);
      // Some name those who leave in the value of a remove; without one all leave.
      if (op === 'replace' || (op === 'remove' && named.length === 0)) members.clear();
      for (const account of named) {
        if (op === 'remove') members.delete(account);
        else members.add(account);
      }
    }
  }
  return { displayName, externalId, members };
}

function meantBy(within: readonly Condition[], pointer: string): string[] {
  return within.map(({ attribute, operator, value }) => {
    if (attribute === 'value' && operator === 'eq' && typeof value === 'string') return value;
    throw invalid(`${pointer}/path`, 'A member is named as members[value eq "id"].');
  });
}

function readName(value: unknown, pointer: string): string {
  const name = readText(value, pointer);
  if (name === null) throw invalid(pointer, 'A group needs a displayName.');
  return name;
}

function readMembers(value: unknown, pointer: string): string[] {
  if (value === undefined || value === null) return [];
  const list = Array.isArray(value) ? value : [value];
  return list.map((one: unknown, index) => {
    const id = isObject(one) ? attributeOf(one, 'value') : one;
    if (typeof id === 'string' && idForm.test(id)) return id;
    throw noSuchPerson(`${pointer}/${index}`);
  });
}

/** The same for one who belongs to another workspace. */
export function noSuchPerson(pointer: string) {
  return invalid(pointer, 'There is no such person in this workspace. Create them first, and name them by their id.');
}
