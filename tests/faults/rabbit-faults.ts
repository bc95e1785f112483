import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault.ts';

/** Faults of the broker. */
export const rabbitFaults: readonly Fault[] = [
  {
    id: 'F29',
    what: 'RabbitMQ is killed',
    at: 'all',
    needs: 'rabbit',
    async inject({ cluster }) {
      await cluster.rabbit?.kill();
      await sleep(4_000);
      await cluster.rabbit?.start();
    },
  },
  {
    id: 'F30',
    what: 'the disk of RabbitMQ is full',
    at: 'all',
    needs: 'rabbit',
    async inject({ cluster }) {
      await cluster.rabbit?.control('set_disk_free_limit', '9000GB');
      await sleep(5_000);
      await cluster.rabbit?.control('set_disk_free_limit', '50MB');
    },
  },
  {
    id: 'F31',
    what: 'RabbitMQ drops all connections',
    at: 'all',
    needs: 'rabbit',
    inject: async ({ cluster }) => void (await cluster.rabbit?.control('close_all_connections', 'a fault')),
  },
  {
    id: 'F32',
    what: 'the queues of RabbitMQ are deleted',
    at: 'all',
    needs: 'rabbit',
    async inject({ cluster }) {
      const listed = (await cluster.rabbit?.control('list_queues', 'name', '-q', '--no-table-headers')) ?? '';
      for (const name of listed.split('\n').filter((line) => line.trim() !== ''))
        await cluster.rabbit?.control('delete_queue', name.trim());
    },
  },
];
