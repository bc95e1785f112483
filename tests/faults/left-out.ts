/** Faults of the catalogue that are never done here, and why. */
export const leftOut: Readonly<Record<string, string>> = {
  F06: 'a relay dies between publishing and marking: nothing is marked, for a message only wakes who reads the table',
  F21: 'a disk of tables alone is full: tables and log of the embedded database lie on one disk, which F22 fills',
  F23: 'a migration under load: there is one release so far',
  F24: 'an older copy is restored: server/src/run-backup.deep.test.ts does it',
  F33: 'messages come twice and late: server/src/platform/carrier/carrier-contract-for-tests.ts does it',
  F34: 'a message that nobody can read: server/src/platform/carrier/rabbitmq-carrier.deep.test.ts sends it',
  F35: 'a message is held for too long: each is acknowledged before any work begins',
  F36: 'a queue of a million messages: no work lies in messages',
};
