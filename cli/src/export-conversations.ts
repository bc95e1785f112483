import type { Damask } from '@damask/sdk';
import type { ArchiveFile } from './write-archive.ts';

/** Contexts and sessions in the files in which Fabric keeps them. */
export async function readConversations(
  damask: Damask,
  wanted: { readonly contexts: boolean | undefined; readonly sessions: boolean | undefined },
): Promise<ArchiveFile[]> {
  const files: ArchiveFile[] = [];
  if (wanted.contexts) {
    for await (const { name } of damask.contexts.listAll()) {
      const { content } = await damask.contexts.read({ context: name });
      files.push({ path: `contexts/${name}`, content });
    }
  }
  if (wanted.sessions) {
    for await (const { name } of damask.sessions.listAll()) {
      const messages: { role: string; content: string }[] = [];
      for await (const { role, content } of damask.sessions.listAllTurns({ session: name })) {
        messages.push({ role, content });
      }
      files.push({ path: `sessions/${name}.json`, content: `${JSON.stringify(messages, null, 2)}\n` });
    }
  }
  return files;
}
