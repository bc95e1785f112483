import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** One of the bench's own programs in a process of its own. It takes and answers messages, one at a time. */
export interface Program {
  readonly pid: number;
  ask<Answer>(question: object): Promise<Answer>;
  stop(): Promise<void>;
}

/** Starts `bench/<name>.ts` under the flags that the server runs with. Resolves with its first message. */
export async function startProgram<Ready>(name: string, args: readonly string[] = []): Promise<[Program, Ready]> {
  const child = fork(join(import.meta.dirname, `${name}.ts`), args, {
    execArgv: process.execArgv,
    serialization: 'advanced',
  });
  const ready = await nextMessage<Ready>(child, name);
  const program: Program = {
    pid: child.pid as number,
    ask(question) {
      child.send(question);
      return nextMessage(child, name);
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
  return [program, ready];
}

function nextMessage<Message>(child: ChildProcess, name: string): Promise<Message> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error(`bench/${name}.ts ended unexpectedly`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message as Message);
    });
  });
}
