// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Secret } from '@portico/base'
import { testCertificates } from '../certificates.js'
import type { Transcript } from './parse.js'

/** What a transcript's headers ask for. */
export interface Stage {
  readonly listen: Listen
  /** Addresses that clients come from, by their number. */
  readonly from: ReadonlyMap<number, string>
  readonly users: readonly StagedUser[]
  /** Nobody is known here: the backend's answer is the verdict. */
  readonly deferred: boolean
  /** Group names in the order of the backends they own: the first has backend 1 unless `backends:` says otherwise. */
  readonly groups: ReadonlyMap<string, readonly number[]>
  readonly backendTls: 'none' | 'starttls' | 'implicit'
  /** Groups whose backends speak LMTP instead of SMTP. */
  readonly lmtp: readonly string[]
  readonly identity: unknown
  readonly extra: string | undefined
  /** The listener asks for client certificates of the test authority; the client always has one of it. */
  readonly clientCertificates: boolean
  /** Nothing of these may be seen in a log. */
  readonly secrets: readonly string[]
  /** How a session has to have ended, as its line in the log says. */
  readonly ended: string | undefined
}

interface Listen {
  readonly tls: 'none' | 'starttls' | 'implicit'
  /** Further keys of the listener's entry. */
  readonly keys: Readonly<Record<string, unknown>>
}

export interface StagedUser {
  readonly name: string
  readonly password: string
  readonly group: string
  /** Further fields of the account, as the users file writes them: `nologin=y`. */
  readonly fields: readonly string[]
}

/** The backends' own words are not asked for: a connection of which no line speaks fails a transcript. */
const SMTP = {
  connectors: {
    inbound: { domains: ['test.lan'], extensions: ['8BITMIME'], tarpit: '0s' },
    client: { extensions: ['8BITMIME'], tarpit: '0s' },
    partner: { domains: ['test.lan'], extensions: ['8BITMIME'], tarpit: '0s' },
  },
}

const HEADERS = new Set(
  'users fields from listen client-certificates config identity backends backend-tls lmtp secrets ended'.split(' '),
)
const LISTENERS: Readonly<Record<string, Listen>> = {
  imap: { tls: 'starttls', keys: {} },
  imaps: { tls: 'implicit', keys: {} },
  pop3: { tls: 'starttls', keys: {} },
  pop3s: { tls: 'implicit', keys: {} },
  smtp: { tls: 'starttls', keys: { connector: 'inbound' } },
  submission: { tls: 'starttls', keys: { connector: 'client' } },
  submissions: { tls: 'implicit', keys: { connector: 'client' } },
  http: { tls: 'none', keys: {} },
  https: { tls: 'implicit', keys: {} },
  sip: { tls: 'none', keys: {} },
  sips: { tls: 'implicit', keys: {} },
}

/** Reads the headers. Throws `SyntaxError` naming what it does not understand. */
export function readStage(transcript: Transcript, protocol: string): Stage {
  const { headers } = transcript
  for (const name of headers.keys()) if (!HEADERS.has(name)) throw new SyntaxError(`unknown header ${name}:`)
  const users = withFields(readUsers(headers.get('users') ?? ''), headers.get('fields') ?? '')
  const identity = readIdentity(headers.get('identity'))
  return {
    listen: readListen(headers.get('listen') ?? { imap4: 'imaps', pop3: 'pop3s' }[protocol] ?? protocol),
    from: readFrom(headers.get('from') ?? ''),
    users: users.filter((user) => user.name !== 'deferred'),
    deferred: users.some((user) => user.name === 'deferred'),
    groups: readGroups(headers.get('backends'), users),
    backendTls: readBackendTls(headers.get('backend-tls') ?? 'none'),
    lmtp: (headers.get('lmtp') ?? '').split(/[\s,]+/).filter((group) => group !== ''),
    identity: identity.value,
    clientCertificates: headers.get('client-certificates') === 'asked',
    extra: headers.get('config'),
    ended: headers.get('ended'),
    secrets: [
      ...users.map((user) => user.password),
      ...identity.secrets,
      ...(headers.get('secrets') ?? '').split(/[\s,]+/),
    ].filter((secret) => secret !== ''),
  }
}

function readListen(text: string): Listen {
  const [name = '', ...words] = text.trim().split(/\s+/)
  const known = LISTENERS[name]
  if (known === undefined) throw new SyntaxError(`listen: knows ${Object.keys(LISTENERS).join(', ')}, not ${name}`)
  const { tls, connectors, ...keys } = Object.fromEntries(words.map((word) => word.split('=', 2)))
  if (connectors === undefined) return { tls: tls ?? known.tls, keys: { ...known.keys, ...keys } }
  const { connector: _, ...others } = known.keys
  return { tls: tls ?? known.tls, keys: { ...others, ...keys, connectors: connectors.split('+') } }
}

function readUsers(text: string): StagedUser[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  return words.map((word) => {
    const found = /^([^=]+?)(?:=(.*))?@([a-z0-9]+)$/.exec(word)
    if (found === null) throw new SyntaxError(`users: expected name=password@group or deferred@group, not ${word}`)
    return { name: found[1] ?? '', password: found[2] ?? '', group: found[3] ?? '', fields: [] }
  })
}

/** `alice nologin=y; bob protocols=pop3`: what the accounts have besides a password and a group. */
function withFields(users: readonly StagedUser[], text: string): StagedUser[] {
  const fields = new Map<string, readonly string[]>()
  for (const words of text.split(';').map((entry) => entry.split(/\s+/).filter((word) => word !== ''))) {
    const [name, ...further] = words
    if (name === undefined) continue
    if (!users.some((user) => user.name === name)) throw new SyntaxError(`fields: ${name} is not among the users:`)
    fields.set(name, further)
  }
  return users.map((user) => ({ ...user, fields: fields.get(user.name) ?? [] }))
}

function readGroups(text: string | undefined, users: readonly StagedUser[]): Map<string, readonly number[]> {
  const groups = new Map<string, readonly number[]>()
  for (const word of (text ?? '').split(/[\s,]+/).filter((word) => word !== '')) {
    const [group = '', numbers = ''] = word.split('=')
    groups.set(group, numbers.split('+').map(Number))
  }
  for (const { group } of [...users, ...(groups.size === 0 && users.length === 0 ? [{ group: 'mbx1' }] : [])]) {
    if (!groups.has(group)) groups.set(group, [Number(/^mbx(\d+)$/.exec(group)?.[1] ?? groups.size + 1)])
  }
  return groups
}

/** `C2=127.0.0.2`, parted by spaces. */
function readFrom(text: string): Map<number, string> {
  const from = new Map<number, string>()
  for (const word of text.split(/\s+/).filter((word) => word !== '')) {
    const [, index = '', address] = /^C(\d*)=([\d.]+)$/.exec(word) ?? []
    if (address === undefined) throw new SyntaxError(`from: wants C2=127.0.0.2, not ${word}`)
    from.set(index === '' ? 1 : Number(index), address)
  }
  return from
}

function readBackendTls(text: string): Stage['backendTls'] {
  if (text === 'none' || text === 'starttls' || text === 'implicit') return text
  throw new SyntaxError(`backend-tls: is none, starttls or implicit, not ${text}`)
}

function readIdentity(text: string | undefined): { value: unknown; secrets: readonly string[] } {
  const [kind, first, second, separator] = (text ?? 'password').split(/\s+/)
  if (kind === 'master' && first !== undefined && second !== undefined) {
    const master = { user: first, secret: new Secret(second), ...(separator === undefined ? {} : { separator }) }
    return { value: { master }, secrets: [second] }
  }
  if (kind === 'header' && first !== undefined) return { value: { header: { name: first } }, secrets: [] }
  return { value: kind, secrets: [] }
}

/** The users as a users-file: name, password scheme and text, and the group with the other extra fields. */
export function usersFile(users: readonly StagedUser[]): string {
  return users
    .map(({ name, password, group, fields }) => {
      const extra = [`group=${group}`, ...fields].join(' ')
      return `${name}:{PLAIN}${password}::::::${extra}\n`
    })
    .join('')
}

/** A configuration, and what must be removed after its use. */
export interface StagedConfig extends Disposable {
  readonly config: Record<string, unknown>
}

/** The configuration that the headers describe. `ports` holds the backends' ports by their number. */
export function stageConfig(
  stage: Stage,
  protocol: string,
  ports: ReadonlyMap<number, number>,
  ...layers: readonly unknown[]
): StagedConfig {
  const { deferred } = stage
  const folder = mkdtempSync(join(tmpdir(), 'portico-transcript-'))
  const users = join(folder, 'users')
  writeFileSync(users, usersFile(stage.users), { mode: 0o600 })
  const { server, ca } = testCertificates()
  const authority = stage.clientCertificates ? { clientCertificates: { text: ca.certificate } } : {}
  const firstGroup = [...stage.groups.keys()][0]
  const generated = {
    version: 1,
    tls: [
      { names: ['localhost', '*.test.lan'], certificate: { text: server.certificate }, key: new Secret(server.key) },
    ],
    listeners: [{ protocol, address: '127.0.0.1:0', tls: stage.listen.tls, ...authority, ...stage.listen.keys }],
    hostname: 'portico.test.lan',
    auth: { delays: ['0s'] },
    ...(protocol === 'smtp' ? { smtp: SMTP } : {}),
    credentials: deferred ? [{ type: 'deferred' }] : [{ type: 'users-file', path: users }],
    location: deferred
      ? [{ type: 'hash', group: firstGroup, domains: ['test.lan'] }]
      : [{ type: 'users-file', domains: ['test.lan'] }],
    backends: Object.fromEntries(
      [...stage.groups].map(([group, numbers]) => [
        group,
        groupConfig(stage, stage.lmtp.includes(group) ? 'lmtp' : protocol, numbers, ports),
      ]),
    ),
  }
  return {
    config: layers.reduce(merge, generated) as Record<string, unknown>,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function groupConfig(
  stage: Stage,
  protocol: string,
  numbers: readonly number[],
  ports: ReadonlyMap<number, number>,
): unknown {
  const scheme = protocol !== 'http' ? '' : stage.backendTls === 'implicit' ? 'https://' : 'http://'
  const endpoints = numbers.map((number) => `${scheme}127.0.0.1:${ports.get(number)}`)
  const tls = { mode: stage.backendTls, ca: { text: testCertificates().ca.certificate }, servername: 'localhost' }
  // A connection that no line of a transcript speaks of fails it: warm ones are there where `config:` asks for them.
  const pool = { warm: 0 }
  return { identity: stage.identity, pool, [protocol]: { endpoints, ...(stage.backendTls === 'none' ? {} : { tls }) } }
}

/**
 * Lays `over` on `base`: maps are merged key by key, a map over a list is merged into each of the list's maps, anything else
 * replaces what was there.
 */
export function merge(base: unknown, over: unknown): unknown {
  if (over === undefined || over === null) return base
  if (!isMap(over)) return over
  if (Array.isArray(base)) return base.map((entry) => merge(entry, over))
  if (!isMap(base)) return over
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) merged[key] = merge(merged[key], value)
  return merged
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Secret)
}
