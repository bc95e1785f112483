import { type Static, Type } from 'typebox';
import { Id, Name } from './field.ts';
import { RoleRef } from './role.ts';

/** What the edge needs to know of a service account. */
export const ServiceAccountTableRow = Type.Object({ workspace: Id, id: Id, name: Name, role: RoleRef });
export type ServiceAccountTableRow = Static<typeof ServiceAccountTableRow>;
