import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditEntry } from '@damask/contracts/audit.ts';
import { auditSettingsOf } from '../../server/src/audit-settings.ts';
import { readConfig } from '../../server/src/config.ts';
import { type AuditWorld, startAuditWorld } from './audit-world.ts';

const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;

interface Delivery {
  readonly id: string;
  readonly valid: boolean;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read bodies as they come.
  readonly data: any;
}

const deliveries: Delivery[] = [];
/** How many of the next deliveries are answered with 503. */
let failing = 1;
const receiver = createHttpServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    if (request.url === '/entries' && failing > 0) {
      failing -= 1;
      response.writeHead(503).end();
      return;
    }
    const body = Buffer.concat(pieces).toString();
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = request.headers;
    const own = createHmac('sha256', Buffer.alloc(32, 5)).update(`${id}.${at}.${body}`).digest('base64');
    deliveries.push({ id: String(id), valid: signature === `v1,${own}`, ...JSON.parse(body) });
    response.writeHead(204).end();
  });
});
let lines = '';
const sockets: Socket[] = [];
const syslog = createServer((socket) => {
  sockets.push(socket);
  socket.on('data', (bytes: Buffer) => {
    lines += bytes.toString();
  });
});

let world: AuditWorld;
before(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => syslog.listen(0, '127.0.0.1', resolve));
  const port = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
  world = await startAuditWorld(undefined, {
    DAMASK_AUDIT_WEBHOOK: `http://127.0.0.1:${port(receiver)}/entries`,
    DAMASK_AUDIT_CHECKPOINT_WEBHOOK: `http://127.0.0.1:${port(receiver)}/checkpoints`,
    DAMASK_AUDIT_WEBHOOK_SECRET: secret,
    DAMASK_AUDIT_SYSLOG: `tcp://127.0.0.1:${port(syslog)}`,
    DAMASK_EGRESS_ALLOW: '127.0.0.1',
  });
});
after(async () => {
  await world.stop();
  for (const socket of sockets) socket.destroy();
  receiver.close();
  syslog.close();
});

/** Messages framed by their octets, as RFC 6587 says. */
function messages(): string[] {
  const found: string[] = [];
  for (let rest = Buffer.from(lines); rest.length > 0; ) {
    const space = rest.indexOf(' ');
    const length = Number(rest.subarray(0, space));
    found.push(rest.subarray(space + 1, space + 1 + length).toString());
    rest = rest.subarray(space + 1 + length);
  }
  return found;
}

async function until(what: () => boolean): Promise<void> {
  for (let waited = 0; !what(); waited += 50) {
    assert.ok(waited < 40_000, 'It never came');
    await sleep(50);
  }
}

test('entries and checkpoints are sent, signed, in order and again where they were refused; syslog hears of each', async () => {
  const held = () => world.behind<{ name: string }>('select name from platform.stream where holder is not null');
  while ((await held()).length < 3) await sleep(50);
  await world.write(3);
  await world.anchor();
  await world.write(2);
  await world.platform.sealAudit();
  const entries = (await world.entries()).filter(({ action }) => action === 'createKey').slice(-5);
  const received = () =>
    deliveries
      .filter(({ type }) => type === 'audit.entries-sealed')
      .flatMap(({ data }) => data.entries as AuditEntry[]);
  await until(() => entries.every(({ hash }) => received().some((one) => one.hash === hash)));
  assert.equal(failing, 0);
  assert.ok(deliveries.every(({ valid }) => valid));
  const ours = received().filter(({ workspace }) => workspace === world.platform.alpha.id);
  assert.deepEqual(
    ours.map(({ seq }) => seq),
    ours.map((_, at) => (ours[0] as AuditEntry).seq + at),
  );
  assert.deepEqual(
    ours.find(({ hash }) => hash === entries[0]?.hash),
    entries[0],
  );

  const anchors = () =>
    deliveries.filter(({ type }) => type === 'audit.checkpoints-signed').flatMap(({ data }) => data.checkpoints);
  await until(() => anchors().some(({ body }: { body: string }) => body.includes(world.platform.alpha.id)));
  const kept = (await world.lines()).map(({ signature }) => signature);
  assert.ok(anchors().every(({ signature }: { signature: string }) => kept.includes(signature)));

  await until(() => entries.every(({ hash }) => lines.includes(hash)));
  for (const message of messages()) {
    const [, head, json] = /^(<10[89]>1 \S+Z \S+ damask - \S+ -) (\{.*\})$/.exec(message) ?? [];
    assert.ok(head && JSON.parse(json as string).seq > 0, message);
  }
});

test('a receiver without a secret, or by plain http elsewhere, starts nothing', () => {
  const start = (environment: Record<string, string>) => auditSettingsOf(readConfig({ environment }));
  assert.throws(() => start({ DAMASK_AUDIT_WEBHOOK: 'https://siem.example.com/' }), /WEBHOOK_SECRET/);
  assert.throws(() => start({ DAMASK_AUDIT_WEBHOOK: 'http://siem.example.com/' }), /https/);
  assert.throws(() => start({ DAMASK_AUDIT_SYSLOG: 'udp://192.0.2.1:514' }), /DAMASK_AUDIT_SYSLOG/);
});
