import type { Damask, Member } from '@damask/sdk';
import { InputError } from './input-error.ts';

const id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Id of the member with this id or address. An address that two have leads to neither. */
export async function findMember(damask: Damask, text: string): Promise<string> {
  if (id.test(text)) return text.toLowerCase();
  const found: Member[] = [];
  for await (const member of damask.members.listAll()) {
    if (member.email?.toLowerCase() === text.toLowerCase()) found.push(member);
  }
  if (found.length === 1) return (found[0] as Member).id;
  const what = found.length === 0 ? 'There is no member' : 'There are several members';
  throw new InputError(`${what} with the address ${text}. \`damask members\` lists the ids.`, 'notFound');
}
