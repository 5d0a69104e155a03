// SPDX-License-Identifier: MIT
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Accounts } from './accounts.js'
import type { Account, DemoDirectory } from './mail-store.js'
import { letter } from './seed-mails.js'
import { type Notice, pageOf } from './web-page.js'

/** What the web mailbox is told of its surroundings. */
export interface WebOptions {
  /** Named on the page. */
  readonly name: string
  readonly accounts: Accounts
  /** Whom one can write to. */
  readonly directory: DemoDirectory
  /** Of the addresses of its users. */
  readonly domain: string
  /** A header that a proxy in front is trusted to set; Basic authentication when absent. */
  readonly trustedHeader?: string | undefined
  /** Where a proxy in front signs people out. */
  readonly signOut?: string | undefined
}

const MOST_OCTETS = 64 * 1024

/** A small web mailbox: one page to read all mail of a user and to write one. */
export function createWebPage(options: WebOptions) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const account = accountOf(request, options)
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://mailbox')
    const method = request.method === 'HEAD' ? 'GET' : request.method
    if (account === undefined) refuse(request, response, 401, 'WWW-Authenticate', 'Basic realm="demo", charset="UTF-8"')
    else if (method === 'POST' && pathname.endsWith('/send')) void send(request, response, account, options)
    else if (method !== 'GET') refuse(request, response, 405, 'Allow', 'GET, HEAD')
    else {
      request.resume()
      void show(request, response, account, options, searchParams.get('notice'))
    }
  }
}

function accountOf(request: IncomingMessage, { accounts, trustedHeader }: WebOptions): Account | undefined {
  const asserted = trustedHeader === undefined ? undefined : request.headers[trustedHeader.toLowerCase()]
  if (typeof asserted === 'string') return accounts.get(asserted)
  const basic = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(request.headers.authorization ?? '')
  if (basic === null) return undefined
  const text = Buffer.from(basic[1] ?? '', 'base64').toString('utf8')
  const at = text.indexOf(':')
  return at < 0 ? undefined : accounts.login(text.slice(0, at), text.slice(at + 1))
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  name = 'Cache-Control',
  value = 'no-store',
): void {
  request.resume()
  response.writeHead(status, { [name]: value, 'Content-Length': '0' }).end()
}

async function show(
  request: IncomingMessage,
  response: ServerResponse,
  account: Account,
  { name, signOut }: WebOptions,
  notice: string | null,
): Promise<void> {
  const page = await pageOf(name, account, {
    signOut,
    notice: notice === 'sent' || notice === 'unknown' ? notice : undefined,
  }).catch(() => undefined)
  if (page === undefined) return refuse(request, response, 500)
  const body = Buffer.from(page)
  response.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': String(body.length),
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    'Cache-Control': 'no-store',
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** A mail of the page's own form; no other site may send one in somebody's name. */
async function send(
  request: IncomingMessage,
  response: ServerResponse,
  account: Account,
  { directory, domain }: WebOptions,
): Promise<void> {
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return refuse(request, response, 403)
  const text = await bodyOf(request).catch(() => undefined)
  if (text === undefined) return refuse(request, response, 413)
  const form = new URLSearchParams(text)
  const line = (name: string) => (form.get(name) ?? '').replace(/[\0-\x1f\x7f]+/g, ' ').trim()
  const recipient = directory.find(line('to'))
  let notice: Notice = 'unknown'
  if (recipient !== undefined) {
    const [from, to] = [`${account.name}@${domain}`, `${recipient.name}@${domain}`]
    const head = { from, to, subject: line('subject'), date: new Date(), id: `<${randomUUID()}@${domain}>` }
    const raw = letter(head, (form.get('text') ?? '').split(/\r\n|\r|\n/))
    recipient.inbox.append(raw)
    account.folder('Sent')?.append(raw, ['\\Seen'])
    notice = 'sent'
  }
  response.writeHead(303, { Location: `./?notice=${notice}`, 'Content-Length': '0' }).end()
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of request) {
    length += (piece as Buffer).length
    if (length > MOST_OCTETS) throw new RangeError('too long')
    pieces.push(piece as Buffer)
  }
  return Buffer.concat(pieces).toString()
}
