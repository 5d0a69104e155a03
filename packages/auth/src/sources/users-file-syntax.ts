// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { type Networks, networksOf } from '@portico/base'
import { refusalOf, saslprep } from '@portico/sasl'
import { readFingerprint } from '../fingerprint.js'
import { readStoredPassword, type StoredPassword } from '../hash/index.js'

/** One account of a users file. */
export interface UsersFileEntry {
  /** Canonical name: as in the file, prepared (RFC 4013), lower case. */
  readonly user: string
  /** Undefined: the file routes this user and another source proves them. */
  readonly password: StoredPassword | undefined
  /** Changes with the stored password. */
  readonly epoch: string
  /** `uid`, `gid`, `gecos`, `home` and the extra fields; a bare word has an empty value. */
  readonly fields: ReadonlyMap<string, string>
  readonly disabled: boolean
  /** Undefined: all protocols. */
  readonly protocols: ReadonlySet<string> | undefined
  /** Fingerprint of the client certificate that proves this user. */
  readonly certificate: string | undefined
  /** Undefined: from everywhere. */
  readonly allowNets: Networks | undefined
}

/** The whole file, or the first line that cannot be read and why. The reason never shows a password. */
export type ParsedUsersFile =
  | { readonly kind: 'users'; readonly users: ReadonlyMap<string, UsersFileEntry> }
  | { readonly kind: 'broken'; readonly line: number; readonly reason: string }

/**
 * Reads a Dovecot passwd-file: `user:password:uid:gid:gecos:home:shell:extra fields`, one account a line, trailing columns may be
 * missing. Extra fields are `key=value` or bare words, parted by spaces; a `userdb_` prefix is dropped. Empty lines and lines that
 * begin with `#` are skipped. `defaultScheme` holds for passwords without a `{SCHEME}` prefix.
 */
export function parseUsersFile(text: string, defaultScheme?: string): ParsedUsersFile {
  const users = new Map<string, UsersFileEntry>()
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    if (line.trim() === '' || line.startsWith('#')) continue
    const entry = parseEntry(line, defaultScheme)
    const reason = typeof entry === 'string' ? entry : users.has(entry.user) ? 'the user is already there' : undefined
    if (typeof entry === 'string' || reason !== undefined) {
      return { kind: 'broken', line: index + 1, reason: reason ?? 'unreadable' }
    }
    users.set(entry.user, entry)
  }
  return { kind: 'users', users }
}

function parseEntry(line: string, defaultScheme: string | undefined): UsersFileEntry | string {
  const [name = '', password = '', uid = '', gid = '', gecos = '', home = '', , ...extra] = line.split(':')
  const prepared = refusalOf(name) === undefined ? saslprep(name) : undefined
  if (prepared === undefined || prepared !== prepared.trim()) return 'the user name is not a name'
  const stored = password === '' ? undefined : readStoredPassword(password, defaultScheme)
  if (typeof stored === 'string') return stored
  const fields = new Map(Object.entries({ uid, gid, gecos, home }).filter(([, value]) => value !== ''))
  addExtraFields(fields, extra.join(':'))
  const allowNets = networksField(fields.get('allow_nets'))
  if (typeof allowNets === 'string') return allowNets
  const written = fields.get('certificate')
  const certificate = written === undefined ? undefined : readFingerprint(written)
  if (written !== undefined && certificate === undefined) return 'certificate is not a SHA-256 fingerprint in hex'
  return {
    user: prepared.toLowerCase(),
    password: stored,
    epoch: createHash('sha256').update(password).digest('base64url').slice(0, 12),
    fields,
    disabled: isSet(fields.get('nologin')) || isSet(fields.get('disabled')),
    protocols: protocolsField(fields.get('protocols')),
    certificate,
    allowNets,
  }
}

function addExtraFields(fields: Map<string, string>, text: string): void {
  for (const word of text.split(' ')) {
    if (word === '') continue
    const [, key = word, value = ''] = /^([^=]*)=(.*)$/s.exec(word) ?? []
    fields.set(key.replace(/^userdb_/, ''), value)
  }
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && !['n', 'no', 'false', '0'].includes(value.toLowerCase())
}

/** `imap` is what other servers call `imap4`. */
function protocolsField(value: string | undefined): ReadonlySet<string> | undefined {
  if (value === undefined) return undefined
  const names = value.split(',').map((name) => name.trim().toLowerCase())
  return new Set(names.map((name) => (name === 'imap' ? 'imap4' : name)))
}

function networksField(value: string | undefined): Networks | string | undefined {
  if (value === undefined) return undefined
  try {
    return networksOf(value.split(',').map((cidr) => cidr.trim()))
  } catch {
    return 'allow_nets holds something that is not an address or CIDR block'
  }
}
