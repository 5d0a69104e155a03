// SPDX-License-Identifier: MIT
import { createHash, randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { type Clock, WatchedFile } from '@portico/base'
import type { Log } from '@portico/telemetry'
import { decoyFor, type StoredPassword } from '../hash/index.js'
import { createSecretDesk, type SecretDesk } from './users-file-secrets.js'
import { type ParsedUsersFile, parseUsersFile, type UsersFileEntry } from './users-file-syntax.js'

/** A users file that is open: for the credential source and for the locator, which share one. */
export interface UsersFile {
  readonly path: string
  /** By full name, in any case; `stripDomain` tries the local part second. Looks at the file again at most once a second. */
  lookup(name: string): UsersFileEntry | undefined
  /** The same, also by `guid@domain`, where the account's field `mailbox_guid` says the first half. Nobody signs in by that. */
  mailbox(name: string): UsersFileEntry | undefined
  /** A stored password to do the work for an unknown name with; undefined while no account has one. */
  decoy(name: string): StoredPassword | undefined
  /** Whose client certificate it is; undefined when nobody's, or more than one account's. */
  ownerOf(fingerprint: string): UsersFileEntry | undefined
  /** For proofs that do not show the password; see {@link SecretDesk}. */
  readonly secrets: SecretDesk
}

export interface UsersFileOptions {
  readonly path: string
  /** `alice` of the file also is `alice@any.domain`, when that has no line of its own. */
  readonly stripDomain?: boolean
  /** Scheme of passwords without a `{SCHEME}` prefix; without it they are refused. */
  readonly defaultScheme?: string
  readonly clock: Clock
  readonly log: Log
}

/** What a users file holds, and what is derived from it once. */
interface Accounts {
  readonly users: ReadonlyMap<string, UsersFileEntry>
  readonly passwords: readonly StoredPassword[]
  readonly owners: ReadonlyMap<string, UsersFileEntry | undefined>
  /** By the mailbox's GUID in lower case. */
  readonly mailboxes: ReadonlyMap<string, UsersFileEntry | undefined>
  readonly desk: SecretDesk
}

/** A line that means nothing. */
class BrokenUsersFile extends Error {
  readonly facts: { readonly line: number; readonly reason: string }

  constructor(path: string, { line, reason }: ParsedUsersFile & { kind: 'broken' }) {
    super(`users file ${path}, line ${line}: ${reason}`)
    this.facts = { line, reason }
  }
}

/**
 * Opens a users file. Throws when it cannot be read at first; later a file that is gone or broken changes nothing and is logged
 * once.
 */
export function openUsersFile(options: UsersFileOptions): UsersFile {
  const { path, clock, log } = options
  const file = new WatchedFile({
    path,
    clock,
    parse: parserOf(options),
    changed: ({ users }) => log.info('users file read again', { path, users: users.size }),
    failed(cause) {
      if (!(cause instanceof BrokenUsersFile))
        log.error('users file cannot be read, the former one stays', { path, cause })
      else log.error('users file is broken, the former one stays', { path, ...cause.facts })
    },
  })
  if ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o004)
    log.warn('users file is readable by everybody on this host', { path })
  const key = randomBytes(16)
  const canonical = (name: string): string => {
    const at = options.stripDomain === true ? name.lastIndexOf('@') : -1
    return (at < 0 ? name : name.slice(0, at)).toLowerCase()
  }
  const lookup = (name: string): UsersFileEntry | undefined => {
    const { users } = file.current
    const wanted = name.toLowerCase()
    const found = users.get(wanted)
    const at = wanted.lastIndexOf('@')
    return found !== undefined || at < 0 || options.stripDomain !== true ? found : users.get(wanted.slice(0, at))
  }
  return {
    path,
    lookup,
    mailbox: (name) => lookup(name) ?? mailboxIn(file.current.mailboxes, name.toLowerCase()),
    decoy: (name) => decoyFor(file.current.passwords, name.toLowerCase(), key),
    ownerOf: (fingerprint) => file.current.owners.get(fingerprint),
    secrets: {
      holds: (kind) => file.current.desk.holds(kind),
      secretOf: (name, ...rest) => file.current.desk.secretOf(canonical(name), ...rest),
    },
  }
}

function parserOf({ path, defaultScheme }: UsersFileOptions): (text: string) => Accounts {
  // Made of the first text, so that all workers of a host show the same salt for a name. It stays, else every unknown name would
  // get a new salt with each change while known ones keep theirs.
  let saltKey: Uint8Array | undefined
  return (text) => {
    const parsed = parseUsersFile(text, defaultScheme)
    if (parsed.kind === 'broken') throw new BrokenUsersFile(path, parsed)
    saltKey ??= createHash('sha256').update('salts\0').update(text).digest()
    const { users } = parsed
    const passwords = [...users.values()].flatMap(({ password }) => (password === undefined ? [] : [password]))
    const owners = byMark(users, ({ certificate }) => certificate)
    const mailboxes = byMark(users, guidOf)
    return { users, passwords, owners, mailboxes, desk: createSecretDesk(passwords, saltKey) }
  }
}

/** What more than one account has is nobody's. */
function byMark(
  users: ReadonlyMap<string, UsersFileEntry>,
  markOf: (entry: UsersFileEntry) => string | undefined,
): ReadonlyMap<string, UsersFileEntry | undefined> {
  const owners = new Map<string, UsersFileEntry | undefined>()
  for (const entry of users.values()) {
    const mark = markOf(entry)
    if (mark !== undefined) owners.set(mark, owners.has(mark) ? undefined : entry)
  }
  return owners
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function guidOf({ fields }: UsersFileEntry): string | undefined {
  const guid = fields.get('mailbox_guid')?.toLowerCase()
  return guid !== undefined && GUID.test(guid) ? guid : undefined
}

/** A GUID names one mailbox; its domain is that of one of the mailbox's addresses, and not always of the account. */
function mailboxIn(mailboxes: Accounts['mailboxes'], name: string): UsersFileEntry | undefined {
  const at = name.lastIndexOf('@')
  return at < 0 ? undefined : mailboxes.get(name.slice(0, at))
}
