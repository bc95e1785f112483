import { createHttpClient, type HttpClient, type HttpReply, type SendOptions } from '../http-client.ts';

export interface Answer {
  /** What was asked, of what status the answer is, and by whom. */
  readonly name: string;
  /** `owner` reads all of the workspace; `others` must read none of it. */
  readonly who: 'owner' | 'others';
  readonly content: string;
}

export interface Recorder {
  readonly answers: readonly Answer[];
  send(who: Answer['who'], method: string, path: string, options?: SendOptions): Promise<HttpReply>;
  /** The same with a way of its own. */
  note(who: Answer['who'], name: string, content: string): void;
  close(): void;
}

/** Keeps every answer with its head. A request that gets none is none. */
export function createRecorder(url: string): Recorder {
  const answers: Answer[] = [];
  const client: HttpClient = createHttpClient(url);
  const bad: HttpClient[] = [];
  let refused = 0;
  let through = client;
  return {
    answers,
    async send(who, method, path, options = {}) {
      // Where keys are guessed an address has to wait; these guesses come from many.
      if (who === 'others' && refused++ % 60 === 0) {
        through = createHttpClient(url, { from: 2 + (bad.length % 200) });
        bad.push(through);
      }
      const reply = await (who === 'owner' ? client : through).send(method, path, options);
      answers.push({
        name: `${method} ${path.slice(0, 80)} ${reply.status}`,
        who,
        content: `${reply.headers.map((pair) => pair.join(': ')).join('\n')}\n\n${reply.text}`,
      });
      return reply;
    },
    note: (who, name, content) => void answers.push({ name, who, content }),
    close() {
      for (const one of [client, ...bad]) one.close();
    },
  };
}
