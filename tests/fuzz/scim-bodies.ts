import fc from 'fast-check';
import { wildValue } from './schema-values.ts';

// Their bodies are described in RFC 7643 and RFC 7644, not in our own description.
const name = fc.constantFrom(
  ...['userName', 'displayName', 'active', 'emails', 'name', 'externalId', 'members', 'schemas', 'Operations', 'id'],
);
const text = fc.string({ minLength: 1, maxLength: 30 });
const user = fc.record(
  {
    userName: text,
    active: fc.boolean(),
    displayName: text,
    externalId: text,
    name: fc.record({ givenName: text, familyName: text }, { requiredKeys: [] }),
    emails: fc.array(fc.record({ value: fc.emailAddress(), type: fc.constant('work'), primary: fc.boolean() }), {
      maxLength: 2,
    }),
  },
  { requiredKeys: ['userName'] },
);
const group = fc.record(
  { displayName: text, members: fc.array(fc.record({ value: fc.uuid() }), { maxLength: 2 }) },
  { requiredKeys: ['displayName'] },
);
const change = fc.oneof(
  fc.record({ op: fc.constantFrom('add', 'replace', 'Replace'), value: fc.oneof(user, group) }),
  fc.record({
    op: fc.constant('replace'),
    path: fc.constant('active'),
    value: fc.oneof(fc.boolean(), fc.constant('False')),
  }),
  fc.record(
    {
      op: fc.oneof(fc.constantFrom('add', 'replace', 'remove', 'Add'), wildValue),
      path: fc.oneof(
        name,
        fc.constantFrom('members[value eq "x"]', 'emails[type eq "work"].value', 'a[', 'a.b.c'),
        wildValue,
      ),
      value: fc.oneof(fc.dictionary(name, wildValue), wildValue),
    },
    { requiredKeys: ['op'] },
  ),
);
const patch = fc.record({ Operations: fc.array(change, { minLength: 1, maxLength: 3 }) });

/** What a directory may send: users, groups and changes, some of them spoilt. */
export const scimBody: fc.Arbitrary<unknown> = fc.oneof(
  user,
  group,
  patch,
  fc.tuple(user, fc.dictionary(name, wildValue, { maxKeys: 2 })).map(([good, bad]) => ({ ...good, ...bad })),
  fc.tuple(group, fc.dictionary(name, wildValue, { maxKeys: 2 })).map(([good, bad]) => ({ ...good, ...bad })),
  wildValue,
);
