import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import git from 'isomorphic-git';
import type { TestCertificate } from '#platform/testing/test-certificate.ts';
import { createMemoryFiles } from './memory-files.ts';

/** A path and what stands there; a mode for what is no plain file. */
export type CommitFiles = Readonly<Record<string, string | { readonly mode: string; readonly content: string }>>;

export interface GitServer {
  /** Of the repository. */
  readonly url: string;
  readonly port: number;
  /** Methods and paths that were asked for. */
  readonly seen: string[];
  /** Adds a commit to `main`, and answers its hash. */
  commit(files: CommitFiles): Promise<string>;
  tag(name: string, commit: string): Promise<void>;
  /** A commit whose folders hold themselves under ten names, ten deep: 10,000,000,000 files of 11 objects. */
  commitBomb(): Promise<void>;
  /** Answers instead of the repository, when it answers something. */
  instead: ((path: string) => Answer | undefined) | undefined;
  /** Changes the pack before it is sent. */
  spoil: ((pack: Buffer) => Buffer) | undefined;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

const gitdir = '/git';
const author = { name: 'Test', email: 'test@example.org', timestamp: 1_700_000_000, timezoneOffset: 0 };

const line = (data: string | Buffer) => {
  const bytes = Buffer.from(data as string);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
};
const flush = Buffer.from('0000');

/** A repository in memory, served over https as git's smart protocol has it: enough for a shallow fetch. */
export async function startGitServer(certificate: TestCertificate, host = 'localhost'): Promise<GitServer> {
  const fs = createMemoryFiles(() => undefined);
  await git.init({ fs, gitdir, dir: '/', bare: true, defaultBranch: 'main' });
  const refs = new Map<string, string>();
  const seen: string[] = [];

  const packOf = async (wanted: string): Promise<Buffer> => {
    const oids = new Set<string>();
    const { oid, commit } = await git.readCommit({ fs, gitdir, oid: wanted });
    const walk = async (tree: string) => {
      if (oids.has(tree)) return;
      oids.add(tree);
      for (const entry of (await git.readTree({ fs, gitdir, oid: tree })).tree) {
        if (entry.type === 'tree') await walk(entry.oid);
        else if (entry.type === 'blob') oids.add(entry.oid);
      }
    };
    await walk(commit.tree);
    const { packfile } = await git.packObjects({ fs, gitdir, dir: '/', oids: [...oids, oid, wanted] });
    return Buffer.from(packfile as Uint8Array);
  };

  const answer = async (path: string, body: Buffer): Promise<Answer> => {
    if (path.startsWith('/fabric.git/info/refs')) {
      const [first, ...rest] = [['HEAD', refs.get('refs/heads/main') ?? ''], ...refs] as [string, string][];
      const capabilities = 'multi_ack_detailed shallow ofs-delta side-band-64k symref=HEAD:refs/heads/main';
      const lines = refs.size === 0 ? [] : [line(`${first?.[1]} ${first?.[0]}\0${capabilities}\n`)];
      for (const [name, oid] of refs.size === 0 ? [] : rest) lines.push(line(`${oid} ${name}\n`));
      const empty = refs.size === 0 ? [line(`${'0'.repeat(40)} capabilities^{}\0${capabilities}\n`)] : [];
      return {
        status: 200,
        headers: { 'content-type': 'application/x-git-upload-pack-advertisement' },
        body: Buffer.concat([line('# service=git-upload-pack\n'), flush, ...empty, ...lines, flush]),
      };
    }
    if (path !== '/fabric.git/git-upload-pack') return { status: 404, body: 'nothing here' };
    const wanted = /want ([0-9a-f]{40})/.exec(body.toString('latin1'))?.[1] ?? '';
    const pack = (server.spoil ?? ((bytes: Buffer) => bytes))(await packOf(wanted));
    const shallow = /deepen 1/.test(body.toString('latin1')) ? [line(`shallow ${wanted}\n`), flush] : [];
    const pieces: Buffer[] = [];
    for (let at = 0; at < pack.length; at += 60_000) {
      pieces.push(line(Buffer.concat([Buffer.from([1]), pack.subarray(at, at + 60_000)])));
    }
    return {
      status: 200,
      headers: { 'content-type': 'application/x-git-upload-pack-result' },
      body: Buffer.concat([...shallow, line('NAK\n'), ...pieces, flush]),
    };
  };

  const listener: Server = createServer(certificate, (request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', async () => {
      const path = request.url ?? '';
      seen.push(`${request.method} ${path}`);
      const { status, headers, body } = server.instead?.(path) ?? (await answer(path, Buffer.concat(pieces)));
      response.writeHead(status, headers ?? {}).end(body);
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;

  const server: GitServer = {
    url: `https://${host}:${port}/fabric.git`,
    port,
    seen,
    instead: undefined,
    spoil: undefined,
    async commit(files) {
      const parent = refs.get('refs/heads/main');
      const tree = await writeTree(fs, files);
      const oid = await git.commit({
        ...{ fs, gitdir, dir: '/', tree, author, committer: author, message: 'A change' },
        parent: parent === undefined ? [] : [parent],
        noUpdateBranch: true,
      });
      refs.set('refs/heads/main', oid);
      return oid;
    },
    async commitBomb() {
      const blob = await git.writeBlob({ fs, gitdir, dir: '/', blob: Buffer.from('x') });
      let entry = { mode: '100644', oid: blob, type: 'blob' as 'blob' | 'tree' };
      for (let depth = 0; depth < 10; depth++) {
        const tree = Array.from({ length: 10 }, (_, index) => ({ ...entry, path: `n${index}` }));
        const oid = await git.writeTree({ fs, gitdir, dir: '/', tree });
        entry = { mode: '040000', oid, type: 'tree' };
      }
      const made = { tree: entry.oid, author, committer: author, message: 'A bomb', parent: [] };
      const oid = await git.commit({ fs, gitdir, dir: '/', ...made, noUpdateBranch: true });
      refs.set('refs/heads/main', oid);
    },
    async tag(name, commit) {
      const tag = { object: commit, type: 'commit' as const, tag: name, tagger: author, message: 'a tag' };
      const oid = await git.writeTag({ fs, gitdir, dir: '/', tag });
      refs.set(`refs/tags/${name}`, oid);
    },
    stop: () => new Promise((resolve) => listener.close(() => resolve()).closeAllConnections()),
  };
  return server;
}

async function writeTree(fs: ReturnType<typeof createMemoryFiles>, files: CommitFiles, prefix = ''): Promise<string> {
  const names = new Set<string>();
  for (const path of Object.keys(files)) {
    if (path.startsWith(prefix)) names.add(path.slice(prefix.length).split('/', 1)[0] as string);
  }
  const tree = await Promise.all(
    [...names].map(async (name) => {
      const file = files[prefix + name];
      if (file === undefined) {
        return {
          mode: '040000',
          path: name,
          oid: await writeTree(fs, files, `${prefix}${name}/`),
          type: 'tree' as const,
        };
      }
      const { mode, content } = typeof file === 'string' ? { mode: '100644', content: file } : file;
      if (mode === '160000') return { mode, path: name, oid: content, type: 'commit' as const };
      const oid = await git.writeBlob({ fs, gitdir, dir: '/', blob: Buffer.from(content) });
      return { mode, path: name, oid, type: 'blob' as const };
    }),
  );
  return git.writeTree({ fs, gitdir, dir: '/', tree });
}
