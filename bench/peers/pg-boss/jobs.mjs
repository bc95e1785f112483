// A run as a job of pg-boss, written as its documentation does: a job is sent for each, workers take what waits, ask the
// model and keep the answer in a table. Each job ends by itself: by default a failure would repeat the others of its hundred. Started with the folder of the database's socket, its port, and the model's port.
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { Pool } from 'undici';

const [host, port, modelPort] = process.argv.slice(2);
const senders = 64;
const queue = 'runs';
const connection = { host, port: Number(port), user: 'damask', database: 'bench_boss' };
const boss = new PgBoss({ ...connection, max: 10 });
const database = new pg.Pool({ ...connection, max: 10 });
const model = new Pool(`http://127.0.0.1:${modelPort}`, { connections: 256 });
let ended = 0;

async function execute(job) {
  const { statusCode, body } = await model.request({
    path: '/v1/chat/completions',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'bench', messages: job.data.messages }),
  });
  const answer = await body.json();
  if (statusCode !== 200) throw new Error(`the model answered ${statusCode}`);
  await database.query('insert into result (job, answer) values ($1, $2)', [job.id, answer.choices[0].message.content]);
  ended += 1;
  return { id: job.id, status: 'completed' };
}

const fail = (job, error) => ({ id: job.id, status: 'failed', output: { message: error.message } });

async function perform({ seconds, messages }) {
  const begun = performance.now();
  const before = ended;
  let sent = 0;
  const send = async () => {
    while (performance.now() - begun < seconds * 1000) {
      await boss.send(queue, { messages });
      sent += 1;
    }
  };
  await Promise.all(Array.from({ length: senders }, send));
  const sending = (performance.now() - begun) / 1000;
  while (ended - before < sent) await new Promise((resolve) => setTimeout(resolve, 5));
  return { runs: sent, sending, seconds: (performance.now() - begun) / 1000 };
}

boss.on('error', (error) => console.error(error));
await boss.start();
await boss.createQueue(queue);
await database.query('create table if not exists result (job uuid primary key, answer text not null)');
const options = { batchSize: 100, perJobResults: true, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true };
for (let worker = 0; worker < 4; worker++)
  await boss.work(queue, options, (jobs) =>
    Promise.all(jobs.map((job) => execute(job).catch((error) => fail(job, error)))),
  );
process.on('message', (load) => void perform(load).then((result) => process.send(result)));
process.on('disconnect', () => process.exit());
process.send({});
