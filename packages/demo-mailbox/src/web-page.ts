// SPDX-License-Identifier: MIT
import type { Account } from './mail-store.js'
import { type ReadableMail, readMail } from './read-mail.js'

/** What has become of a mail that was written on the page. */
export type Notice = 'sent' | 'unknown'

const NOTICES: Readonly<Record<Notice, string>> = {
  sent: 'Your mail is on its way.',
  unknown: 'Nobody here has that address; nothing was sent.',
}

const STYLE =
  ':root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}' +
  'header{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;align-items:baseline;justify-content:space-between}h1{font-size:1.5rem}' +
  'summary{cursor:pointer;padding:.25rem 0}small{opacity:.75}pre{white-space:pre-wrap;background:color-mix(in srgb,currentColor 7%,transparent);padding:.7rem}' +
  'form{display:grid;gap:.6rem;padding:.7rem 0}label{display:grid}input,textarea,button{font:inherit;padding:.45rem}' +
  '[role=status]{padding:.6rem .8rem;background:color-mix(in srgb,currentColor 10%,transparent)}'

/** The page of one user's mail. `signOut`: where a proxy in front signs people out. */
export async function pageOf(
  name: string,
  account: Account,
  { signOut, notice }: { readonly signOut?: string | undefined; readonly notice?: Notice | undefined },
): Promise<string> {
  const folders: string[] = []
  for (const folder of account.folders.values()) {
    const mails = await Promise.all(folder.messages.map(({ raw }) => readMail(raw)))
    folders.push(
      `<h2>${escapeHtml(folder.name)} <small>${mails.length}</small></h2>${mails.reverse().map(mailOf).join('')}`,
    )
  }
  const title = `${escapeHtml(account.name)} on ${escapeHtml(name)}`
  const leave = signOut === undefined ? '' : `<a href="${escapeHtml(signOut)}">Sign out</a>`
  const told = notice === undefined ? '' : `<p role="status">${NOTICES[notice]}</p>`
  return `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${STYLE}</style>
<header><h1>${title}</h1>${leave}</header>${told}
<details><summary><b>Write a mail</b></summary>${FORM}</details>
${folders.join('\n')}</html>\n`
}

const FORM = `<form method="post" action="send">
<label>To <input name="to" required autocomplete="off" placeholder="alice or bob"></label>
<label>Subject <input name="subject" required></label>
<label>Text <textarea name="text" rows="6" required></textarea></label>
<button>Send</button></form>`

function mailOf(mail: ReadableMail): string {
  const files = mail.attachments.map((file) => `<li>${escapeHtml(file.name)} <small>${file.size} octets</small></li>`)
  const date = mail.date?.toISOString().slice(0, 16).replace('T', ' ') ?? ''
  return `<details><summary><b>${escapeHtml(mail.subject)}</b> <small>${escapeHtml(mail.from)} ${date}</small></summary>
<pre>${escapeHtml(mail.text)}</pre>${files.length === 0 ? '' : `<ul>${files.join('')}</ul>`}</details>`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
