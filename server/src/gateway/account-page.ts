import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { notFound } from '#platform/app-error.ts';
import { escapeHtml, framePage } from './page-frame.ts';

const folder = join(import.meta.dirname, 'account');
const scripts: ReadonlyMap<string, string> = new Map(
  ['page', 'approve', 'call', 'elements', 'invitations', 'join', 'passkeys'].map((name) => [
    `${name}.mjs`,
    readFileSync(join(folder, `${name}.mjs`), 'utf8'),
  ]),
);

/** The page of who signed in, without anything of theirs: its script asks the interface for that. */
export function buildAccountPage(version: string): string {
  return framePage(
    'Account',
    `<nav><a href="/">Damask</a> ${escapeHtml(version)}<ul><li><a href="/account">Account</a></li><li><a href="/docs">API reference</a></li></ul></nav>
<main><p>One moment ...</p><noscript><p>This page needs JavaScript. The same can be done with npx damask.</p></noscript></main>
<script type="module" src="/account/scripts/page.mjs"></script>`,
  );
}

/** The page on which a person lets a command line act for them. */
export function buildApprovalPage(version: string): string {
  return framePage(
    'Command line',
    `<nav><a href="/">Damask</a> ${escapeHtml(version)}<ul><li><a href="/account">Account</a></li></ul></nav>
<main><p>One moment ...</p><noscript><p>This page needs JavaScript.</p></noscript></main>
<script type="module" src="/account/scripts/approve.mjs"></script>`,
  );
}

/** Errors: `not_found`. */
export function readAccountScript(name: string): string {
  const script = scripts.get(name);
  if (script === undefined) throw notFound();
  return script;
}
