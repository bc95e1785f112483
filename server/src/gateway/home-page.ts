import { escapeHtml, framePage } from './page-frame.ts';

/** What stands at `/`: where to go from here. */
export function buildHomePage(version: string): string {
  return framePage(
    'Damask',
    `<nav><a href="/">Damask</a> ${escapeHtml(version)}<strong>Read</strong><ul><li><a href="/account">Account</a></li><li><a href="/docs">API reference</a></li><li><a href="/openapi.json">openapi.json</a></li></ul><strong>Health</strong><ul><li><a href="/livez">livez</a></li><li><a href="/readyz">readyz</a></li></ul></nav>
<main>
<h1>Damask</h1>
<p>The production platform for AI patterns runs here. A pattern is a reusable, versioned prompt; this server keeps patterns, runs
them and records every run.</p>
<h2>From a terminal</h2>
<pre>npx damask patterns
echo "a long text" | npx damask run summarize
npx damask runs</pre>
<h2>From a program</h2>
<pre>curl -s "$DAMASK_URL/v1/runs" -H "Authorization: Bearer $DAMASK_API_KEY" \\
  -H "Content-Type: application/json" -d '{"pattern":"summarize","input":"..."}'</pre>
<p><code>npx damask whoami</code> tells which key the command line uses. The <a href="/docs">API reference</a> lists every operation with a
command to try.</p>
</main>`,
  );
}
