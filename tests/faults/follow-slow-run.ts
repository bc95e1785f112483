import { request } from 'node:http';
import type { Member } from './cluster.ts';
import type { World } from './fault.ts';
import type { Entry } from './fault-load.ts';

let streams = 0;

/** Streams a run that takes seconds from `member`, acts when so many pieces have come, and answers the last event's name. */
export function followSlowRun(
  { cluster, load }: World,
  member: Member,
  { at, act }: { readonly at: number; readonly act: (member: Member) => void },
): Promise<string> {
  const input = `stream-${streams++} !drip, and one that goes on for a while`;
  const entry: Entry = { input, kind: 'sync', keyed: false, run: null, told: null };
  load.note(entry);
  return new Promise((resolve) => {
    let text = '';
    let acted = false;
    const end = () => {
      const names = [...text.matchAll(/^event: (\S+)\nid: .*\ndata: (.*)\n/gm)];
      const accepted = names.find(([, name]) => name === 'run.accepted');
      if (accepted) entry.run = (JSON.parse(accepted[2] as string) as { id: string }).id;
      const last = names.at(-1)?.[1] ?? 'nothing';
      if (last.startsWith('run.') && last !== 'run.accepted') entry.told = last.slice(4);
      resolve(last);
    };
    const outgoing = request(
      `${member.url}/v1/runs`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${cluster.key}`, 'content-type': 'application/json' },
      },
      (response) => {
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString('utf8');
          if (acted || text.split('event: output.delta').length <= at) return;
          acted = true;
          act(member);
        });
        response.on('error', () => undefined);
        response.on('close', end);
      },
    );
    outgoing.on('error', end);
    outgoing.end(JSON.stringify({ pattern: 'echo', input, model: 'openai/fake', stream: true, metadata: { input } }));
  });
}
