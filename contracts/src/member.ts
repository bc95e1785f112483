import { type Static, Type } from 'typebox';
import { Id, Name } from './field.ts';
import { RoleRef } from './role.ts';

/** What the edge needs to know of a member. One whose account is disabled has no row. */
export const MemberTableRow = Type.Object({
  workspace: Id,
  account: Id,
  name: Type.String(),
  role: RoleRef,
  teams: Type.Array(Name),
});
export type MemberTableRow = Static<typeof MemberTableRow>;
