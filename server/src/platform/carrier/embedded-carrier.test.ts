import pg from 'pg';
import { systemClock } from '../clock.ts';
import { type MigratedDatabase, migratedDatabase } from '../testing/migrated-database.ts';
import { testCarrier } from './carrier-contract-for-tests.ts';
import { createEmbeddedCarrier } from './embedded-carrier.ts';

let cluster: MigratedDatabase;

testCarrier({
  name: 'embedded',
  skip: false,
  open: () => createEmbeddedCarrier({ database: cluster.database, clock: systemClock, log: cluster.log }),
  async start() {
    cluster = await migratedDatabase({});
  },
  async interrupt() {
    const admin = new pg.Client(cluster.connection);
    await admin.connect();
    await admin.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    await admin.end();
  },
  stop: () => cluster.drop(),
});
