import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { freePort, type Started, startOutside } from './outside-program.ts';

/** A release whose requirements can still be met; 1.82.7 and 1.82.8 held malicious code and must never be named here. */
const version = '1.93.1';
const folder = join(homedir(), '.cache', 'damask-bench', `litellm-${version}`);
const program = join(folder, 'bin', 'litellm');
export const liteLlmKey = 'sk-bench-litellm';

/**
 * LiteLLM's proxy in a virtual environment of its own, with one worker and its key check, without a database: it records
 * nothing. Answers why when it cannot be had.
 */
export async function startLiteLlm(upstream: number): Promise<Started | string> {
  if (!existsSync(program)) {
    if (spawnSync('python3', ['-m', 'venv', folder], { stdio: 'ignore' }).status !== 0)
      return 'there is no python3 with venv';
    const pip = [join(folder, 'bin', 'pip'), ['install', '-q', `litellm[proxy]==${version}`]] as const;
    const done = spawnSync(...pip, { stdio: 'ignore', timeout: 600_000 });
    if (done.status !== 0 || !existsSync(program))
      return `litellm[proxy] ${version} could not be installed from the Python package index`;
  }
  const config = join(folder, 'bench');
  mkdirSync(config, { recursive: true });
  writeFileSync(
    join(config, 'config.yaml'),
    `model_list:
  - model_name: bench
    litellm_params:
      model: openai/bench
      api_base: http://127.0.0.1:${upstream}/v1
      api_key: sk-bench
general_settings:
  master_key: ${liteLlmKey}
litellm_settings:
  telemetry: false
`,
  );
  const port = await freePort();
  const args = ['--config', join(config, 'config.yaml'), '--host', '127.0.0.1', '--port', String(port)];
  const child = spawn(program, [...args, '--num_workers', '1'], {
    cwd: config,
    env: { PATH: process.env.PATH ?? '', HOME: config, LITELLM_LOG: 'ERROR', LITELLM_MODE: 'PRODUCTION' },
    stdio: 'ignore',
  });
  return startOutside(child, port, '/health/liveliness', 120_000);
}
