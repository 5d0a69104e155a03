// SPDX-License-Identifier: MIT
import { type EmailAddress, Secret } from '@portico/base'
import type { CredentialRequest } from '../credential-source.js'

/** Where the lookup sends a user. The host is what the trusted service named. */
export interface AuthHttpRoute {
  readonly host: string
  /** 1 to 65535. */
  readonly port: number
  /** User name for the backend, when the service rewrote it. */
  readonly user?: string
  /** Password for the backend, when the service gave one. */
  readonly password?: Secret<string>
}

/** What the headers of a 200 reply say. */
export type AuthHttpVerdict =
  | { readonly kind: 'ok'; readonly route: AuthHttpRoute }
  | { readonly kind: 'refused'; readonly waitMs: number }
  /** The service asks to come again later, or says that the failure is temporary. */
  | { readonly kind: 'later'; readonly waitMs: number }
  | { readonly kind: 'garbage'; readonly what: string }

/** As nginx escapes user and password: control characters, space and percent sign, octet by octet of the UTF-8 text. */
export function escapeAuthHttp(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[\x00-\x20%]/g, (octet) => `%${octet.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`)
    .replace(/\x7f/g, '%7F')
}

/** The headers of one sign-in question, as nginx's `auth_http` sends them. */
export function questionHeaders({ authcid, password, client, attempt }: CredentialRequest): Record<string, string> {
  return {
    'Auth-Method': 'plain',
    'Auth-User': escapeAuthHttp(authcid),
    'Auth-Pass': escapeAuthHttp(password.expose()),
    'Auth-Protocol': client.protocol === 'imap4' ? 'imap' : client.protocol,
    'Auth-Login-Attempt': String(attempt),
    'Client-IP': client.peer.family === 'unix' ? 'unix:' : client.peer.address,
    'X-Session-Id': escapeAuthHttp(client.sessionId),
    ...(client.encrypted ? { 'Auth-SSL': 'on' } : {}),
    ...(client.tlsVersion === undefined ? {} : { 'Auth-SSL-Protocol': client.tlsVersion }),
  }
}

/** The headers of a question about a recipient: SMTP without sign-in. */
export function recipientHeaders({ local, domain }: EmailAddress): Record<string, string> {
  const mailbox = escapeAuthHttp(domain === '' ? local : `${local}@${domain}`)
  return {
    'Auth-Method': 'none',
    'Auth-User': '',
    'Auth-Pass': '',
    'Auth-Protocol': 'smtp',
    'Auth-Login-Attempt': '1',
    'Auth-SMTP-To': `RCPT TO: <${mailbox}>`,
  }
}

/** Reads `Auth-Status`, `Auth-Server`, `Auth-Port`, `Auth-User`, `Auth-Pass`, `Auth-Wait` and `Auth-Error-Code`. */
export function readVerdict(headers: Readonly<Record<string, string | undefined>>): AuthHttpVerdict {
  const status = headers['auth-status']
  if (status === undefined) return { kind: 'garbage', what: 'no Auth-Status' }
  const waitMs = waitOf(headers['auth-wait'])
  if (status === 'OK') return routeOf(headers)
  if (status === 'WAIT' || /^4\d\d\b/.test(headers['auth-error-code'] ?? '')) return { kind: 'later', waitMs }
  return { kind: 'refused', waitMs }
}

function routeOf(headers: Readonly<Record<string, string | undefined>>): AuthHttpVerdict {
  const host = headers['auth-server'] ?? ''
  const port = Number(/^\d{1,5}$/.exec(headers['auth-port'] ?? '')?.[0])
  if (!/^[A-Za-z0-9.:_-]+$/.test(host)) return { kind: 'garbage', what: 'no usable Auth-Server' }
  if (!(port >= 1 && port <= 65535)) return { kind: 'garbage', what: 'no usable Auth-Port' }
  const user = utf8(headers['auth-user'])
  const password = utf8(headers['auth-pass'])
  return {
    kind: 'ok',
    route: {
      host,
      port,
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { password: new Secret(password) }),
    },
  }
}

/** Header values arrive as Latin-1; an empty one rewrites nothing. */
function utf8(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : Buffer.from(value, 'latin1').toString('utf8')
}

/** Whole seconds, at most five minutes. */
function waitOf(value: string | undefined): number {
  return /^\d{1,6}$/.test(value ?? '') ? Math.min(Number(value), 300) * 1_000 : 0
}
