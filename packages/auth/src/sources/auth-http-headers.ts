// SPDX-License-Identifier: MIT
import { X509Certificate } from 'node:crypto'
import { type EmailAddress, type Endpoint, Secret } from '@portico/base'
import type { CertificateFacts } from '@portico/sasl'
import type { ClientFacts, CredentialRequest } from '../credential-source.js'

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
  return escapeOctets(Buffer.from(text).toString('latin1'))
}

function escapeOctets(octets: string): string {
  return octets.replace(/[\x00-\x20%\x7f]/g, (octet) => {
    return `%${octet.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`
  })
}

/** What a service can be asked to judge besides a password that was shown. */
export type AuthHttpMethod = 'apop' | 'cram-md5' | 'external'

/** What is put into `Auth-User`, `Auth-Pass` and, for a response to a challenge, `Auth-Salt`. */
interface Shown {
  readonly method: 'plain' | AuthHttpMethod
  readonly user: string
  readonly pass: string
  readonly salt?: string
}

/** What goes along if the site wants it. */
export interface Further {
  /** The client's certificate, in PEM. */
  readonly withCertificate: boolean
  /** The client's host name. */
  readonly host: string | undefined
}

type Facts = Pick<CredentialRequest, 'client' | 'attempt'>

/** The headers of one sign-in question, as nginx's `auth_http` sends them. */
export function questionHeaders(
  { method, user, pass, salt }: Shown,
  { client, attempt }: Facts,
  { withCertificate, host }: Further,
): Record<string, string> {
  return {
    'Auth-Method': method,
    'Auth-User': escapeAuthHttp(user),
    'Auth-Pass': escapeAuthHttp(pass),
    ...(salt === undefined ? {} : { 'Auth-Salt': escapeAuthHttp(salt) }),
    'Auth-Protocol': client.protocol === 'imap4' ? 'imap' : client.protocol,
    'Auth-Login-Attempt': String(attempt),
    'Client-IP': addressText(client.peer),
    ...(host === undefined ? {} : { 'Client-Host': host }),
    'X-Session-Id': escapeAuthHttp(client.sessionId),
    ...(client.encrypted ? tlsHeaders(client, withCertificate) : {}),
  }
}

/** The headers of a question about a recipient: SMTP without sign-in, or whatever else is to reach the mailbox. */
export function recipientHeaders(
  { local, domain, protocol = 'smtp', asker }: EmailAddress,
  host: string | undefined,
): Record<string, string> {
  const mailbox = escapeAuthHttp(domain === '' ? local : `${local}@${domain}`)
  return {
    'Auth-Method': 'none',
    'Auth-User': '',
    'Auth-Pass': '',
    'Auth-Protocol': protocol,
    'Auth-Login-Attempt': '1',
    ...(asker === undefined ? {} : askerHeaders(asker, host)),
    'Auth-SMTP-To': `RCPT TO: <${mailbox}>`,
  }
}

function askerHeaders(
  { client, helo, sender }: NonNullable<EmailAddress['asker']>,
  host: string | undefined,
): Record<string, string> {
  return {
    'Client-IP': addressText(client),
    ...(host === undefined ? {} : { 'Client-Host': host }),
    'Auth-SMTP-Helo': escapeOctets(helo),
    'Auth-SMTP-From': `MAIL FROM: <${escapeOctets(sender)}>`,
  }
}

function addressText(end: Endpoint): string {
  return end.family === 'unix' ? 'unix:' : end.address
}

function tlsHeaders(
  { tlsVersion, tlsCipher, certificate, certificateAsked }: ClientFacts,
  withCertificate: boolean,
): Record<string, string> {
  return {
    'Auth-SSL': 'on',
    ...(tlsVersion === undefined ? {} : { 'Auth-SSL-Protocol': tlsVersion }),
    ...(tlsCipher === undefined ? {} : { 'Auth-SSL-Cipher': tlsCipher }),
    ...(certificateAsked === true && certificate === undefined ? { 'Auth-SSL-Verify': 'NONE' } : {}),
    // What a balancer tells of a certificate is too little for a service to judge.
    ...(certificate?.raw === undefined ? {} : certificateHeaders(certificate, certificate.raw, withCertificate)),
  }
}

function certificateHeaders(
  { authorized, reason }: CertificateFacts,
  der: Uint8Array,
  withCertificate: boolean,
): Record<string, string> {
  const certificate = new X509Certificate(der)
  return {
    'Auth-SSL-Verify': authorized ? 'SUCCESS' : `FAILED:${escapeAuthHttp(reason ?? 'unknown')}`,
    ...nameHeader('Auth-SSL-Subject', certificate.subject),
    ...nameHeader('Auth-SSL-Issuer', certificate.issuer),
    'Auth-SSL-Serial': certificate.serialNumber,
    'Auth-SSL-Fingerprint': certificate.fingerprint.replaceAll(':', '').toLowerCase(),
    ...(withCertificate ? { 'Auth-SSL-Cert': escapeAuthHttp(certificate.toString()) } : {}),
  }
}

/** A subject may have no name but its alternative ones (RFC 5280 section 4.1.2.6); Node then has none at all. */
function nameHeader(header: string, name: string | undefined): Record<string, string> {
  return name === undefined || name === '' ? {} : { [header]: oneLine(name) }
}

/** A distinguished name as RFC 2253 writes it, last part first; Node has one part a line, escaped alike but for UTF-8. */
function oneLine(name: string): string {
  const parts = name.split('\n').map((part) => part.replaceAll(/(?<!\\) \+ /g, '+'))
  return Buffer.from(parts.reverse().join(','))
    .toString('latin1')
    .replace(/[\x80-\xff]/g, (octet) => `\\${octet.charCodeAt(0).toString(16).toUpperCase()}`)
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
