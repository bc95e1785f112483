import { createHash } from 'node:crypto';

/** A page of ours: text only, no scripts, nothing from elsewhere. */
export function framePage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const style = `
:root{color-scheme:light dark;--text:#1d2129;--soft:#5b6472;--line:#d9dee6;--page:#fff;--panel:#f6f8fa;--accent:#7a2e4d;--get:#1a6b3c;--put:#8a5a00;--post:#1f4e9e;--delete:#a12622}
@media (prefers-color-scheme:dark){:root{--text:#e6e9ee;--soft:#9aa4b2;--line:#343b46;--page:#14171c;--panel:#1c2128;--accent:#e08aac;--get:#6fcf97;--put:#e5b567;--post:#8ab4f8;--delete:#f28b82}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--page);display:grid;grid-template-columns:17rem minmax(0,1fr)}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1.5rem 1rem 2rem 1.5rem;border-right:1px solid var(--line);background:var(--panel);font-size:.9rem}
nav ul{list-style:none;margin:.2rem 0 1rem;padding:0}nav li{margin:.15rem 0;overflow-wrap:anywhere}nav strong{display:block;margin-top:.6rem}
main{padding:2rem clamp(1rem,4vw,3.5rem) 6rem;max-width:68rem}
h1{margin:.2rem 0 .6rem;font-size:2rem}h2{margin:3rem 0 .6rem;padding-bottom:.3rem;border-bottom:1px solid var(--line)}h3{margin:2.4rem 0 .3rem;font-size:1.1rem}h4{margin:1rem 0 .3rem;font-size:.95rem;color:var(--soft)}
code,pre{font:.86rem/1.5 ui-monospace,Menlo,Consolas,monospace}
code{overflow-wrap:anywhere}
button,input,select{font:inherit;padding:.25rem .6rem}.problem{color:var(--delete)}
pre{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:.8rem 1rem;overflow:auto;margin:.5rem 0}
table{border-collapse:collapse;width:100%;margin:.4rem 0;font-size:.92rem}th,td{text-align:left;vertical-align:top;padding:.35rem .7rem .35rem 0;border-bottom:1px solid var(--line)}th{color:var(--soft);font-weight:600}
td:first-child{white-space:nowrap}
.method{display:inline-block;min-width:4.2rem;font:600 .8rem ui-monospace,monospace}
.GET{color:var(--get)}.PUT,.PATCH{color:var(--put)}.POST{color:var(--post)}.DELETE{color:var(--delete)}
.soft{color:var(--soft)}.need{color:var(--accent)}
details{margin:.4rem 0}summary{cursor:pointer;color:var(--accent)}
@media (max-width:60rem){body{display:block}nav{position:static;height:auto;max-height:40vh;border-right:0;border-bottom:1px solid var(--line)}td:first-child{white-space:normal}}
`;

/** What a page may do: show itself. The hash lets its own style through and nothing else. */
export const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** What a page may do that runs our own script, which calls the interface. Texts cannot become elements by mistake. */
export const scriptedPolicy = [
  pagePolicy,
  "script-src 'self'",
  "connect-src 'self'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');
