// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'

/** Narrow first; colours by the reader's own choice of light or dark, with a contrast above 4.5 (WCAG 2.2, 1.4.3). */
export const STYLE = `
:root{color-scheme:light dark;--ground:#eef1f5;--card:#fff;--text:#1b2430;--soft:#4d5a6a;--line:#8792a2;--main:#1b5faa;--on-main:#fff;--bad:#a3141c;--bad-ground:#fdecec;--note-ground:#e7f0fa}
@media (prefers-color-scheme:dark){:root{--ground:#12161c;--card:#1c222b;--text:#e8ecf2;--soft:#aab4c2;--line:#6f7b8b;--main:#7db4f5;--on-main:#0b1a2b;--bad:#ffb3b0;--bad-ground:#3d1c1f;--note-ground:#1d2c3f}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,sans-serif}
main{width:100%;max-width:26rem;background:var(--card);padding:1.75rem 1.5rem;border-radius:.75rem;border:1px solid color-mix(in srgb,var(--line) 40%,transparent)}
h1{margin:0 0 1.25rem;font-size:1.5rem;line-height:1.25;overflow-wrap:anywhere}
h1 small{display:block;font-size:.95rem;font-weight:400;color:var(--soft)}
.note{margin:0 0 1.25rem;padding:.75rem .9rem;border-radius:.4rem;background:var(--note-ground)}
.bad{background:var(--bad-ground);color:var(--bad)}
label{display:block;font-weight:600}
input[type=text],input[type=password]{display:block;width:100%;min-height:2.75rem;margin:.25rem 0 1rem;padding:.5rem .7rem;font:inherit;color:inherit;background:transparent;border:1px solid var(--line);border-radius:.4rem}
fieldset{margin:0 0 1.25rem;padding:0;border:0}
legend{padding:0;font-weight:600}
.choice{display:flex;gap:.6rem;align-items:flex-start;padding:.4rem 0;font-weight:400}
.choice input{width:1.25rem;height:1.25rem;margin:.15rem 0 0;flex:none;accent-color:var(--main)}
.choice small{display:block;color:var(--soft)}
button,.go{display:block;width:100%;text-align:center;text-decoration:none;min-height:2.75rem;padding:.5rem 1rem;font:inherit;font-weight:600;color:var(--on-main);background:var(--main);border:1px solid transparent;border-radius:.4rem;cursor:pointer}
.place{margin:1rem 0 0;color:var(--soft);overflow-wrap:anywhere}
:focus-visible{outline:3px solid var(--main);outline-offset:2px}
@media (max-width:30rem){body{place-items:start stretch;padding:0;background:var(--card)}main{max-width:none;border:0;border-radius:0}}
`

/** For the page's Content-Security-Policy: this style and no other. */
export const STYLE_SOURCE = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`
