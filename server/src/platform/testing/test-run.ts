import { socketVariable } from './postgres.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';

// Given to `node --test --test-global-setup`: one cluster for all test files of a run.
let cluster: TestCluster | undefined;

export async function globalSetup(): Promise<void> {
  cluster = await startTestCluster();
  process.env[socketVariable] = cluster.socketDirectory;
}

export async function globalTeardown(): Promise<void> {
  await cluster?.stop();
}
