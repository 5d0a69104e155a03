// SPDX-License-Identifier: MIT
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Accounts } from './accounts.js'
import type { Account } from './mail-store.js'
import { type ReadableMail, readMail } from './read-mail.js'

/** Serves the read-only page of one user's mail: Basic authentication, or a header that a proxy in front is trusted to set. */
export function createWebPage(name: string, accounts: Accounts, trustedHeader?: string) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    request.resume()
    const account = accountOf(request, accounts, trustedHeader)
    if (account === undefined) {
      response
        .writeHead(401, { 'WWW-Authenticate': 'Basic realm="demo", charset="UTF-8"', 'Content-Length': '0' })
        .end()
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { Allow: 'GET, HEAD', 'Content-Length': '0' }).end()
    } else {
      void pageOf(name, account).then(
        (page) => send(response, page, request.method === 'HEAD'),
        () => response.writeHead(500, { 'Content-Length': '0' }).end(),
      )
    }
  }
}

function accountOf(request: IncomingMessage, accounts: Accounts, trustedHeader?: string): Account | undefined {
  const asserted = trustedHeader === undefined ? undefined : request.headers[trustedHeader.toLowerCase()]
  if (typeof asserted === 'string') return accounts.get(asserted)
  const basic = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(request.headers.authorization ?? '')
  if (basic === null) return undefined
  const text = Buffer.from(basic[1] ?? '', 'base64').toString('utf8')
  const at = text.indexOf(':')
  return at < 0 ? undefined : accounts.login(text.slice(0, at), text.slice(at + 1))
}

function send(response: ServerResponse, page: string, headOnly: boolean): void {
  const body = Buffer.from(page)
  response.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': String(body.length),
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
    'Cache-Control': 'no-store',
  })
  response.end(headOnly ? undefined : body)
}

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}' +
  'summary{cursor:pointer}small{color:#666}pre{white-space:pre-wrap;background:#f6f6f6;padding:.7rem}'

async function pageOf(name: string, account: Account): Promise<string> {
  const folders: string[] = []
  for (const folder of account.folders.values()) {
    const mails = await Promise.all(folder.messages.map(({ raw }) => readMail(raw)))
    folders.push(
      `<h2>${escapeHtml(folder.name)} <small>${mails.length}</small></h2>${mails.reverse().map(mailOf).join('')}`,
    )
  }
  const title = `${escapeHtml(account.name)} on ${escapeHtml(name)}`
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><style>${STYLE}</style>
<h1>${title}</h1>${folders.join('\n')}</html>\n`
}

function mailOf(mail: ReadableMail): string {
  const files = mail.attachments.map((file) => `<li>${escapeHtml(file.name)} <small>${file.size} octets</small></li>`)
  const date = mail.date?.toISOString().slice(0, 16).replace('T', ' ') ?? ''
  return `<details><summary><b>${escapeHtml(mail.subject)}</b> <small>${escapeHtml(mail.from)} ${date}</small></summary>
<pre>${escapeHtml(mail.text)}</pre>${files.length === 0 ? '' : `<ul>${files.join('')}</ul>`}</details>`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
