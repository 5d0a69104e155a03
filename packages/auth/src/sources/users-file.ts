// SPDX-License-Identifier: MIT
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, type Stats, statSync } from 'node:fs'
import type { Clock } from '@portico/base'
import type { Log } from '@portico/telemetry'
import { decoyFor, type StoredPassword } from '../hash/index.js'
import { createSecretDesk, type SecretDesk } from './users-file-secrets.js'
import { type ParsedUsersFile, parseUsersFile, type UsersFileEntry } from './users-file-syntax.js'

const CHECK_EVERY_MS = 1_000

/** A users file that is open: for the credential source and for the locator, which share one. */
export interface UsersFile {
  readonly path: string
  /** By full name, in any case; `stripDomain` tries the local part second. Looks at the file again at most once a second. */
  lookup(name: string): UsersFileEntry | undefined
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

/**
 * Opens a users file. Throws when it cannot be read at first; later a file that is gone or broken changes nothing and is logged
 * once. Reading is synchronous: the file is small, and only read when its time, size or inode changed.
 */
export function openUsersFile(options: UsersFileOptions): UsersFile {
  const { path, clock, log } = options
  const first = loadFirst(options)
  const { saltKey } = first
  let { users, seen } = first
  let checkedAt = clock.now()
  let passwords = passwordsOf(users)
  let desk = createSecretDesk(passwords, saltKey)
  let owners = ownersOf(users)
  const key = randomBytes(16)
  const canonical = (name: string): string => {
    const at = options.stripDomain === true ? name.lastIndexOf('@') : -1
    return (at < 0 ? name : name.slice(0, at)).toLowerCase()
  }

  const refresh = (): void => {
    if (clock.now() - checkedAt < CHECK_EVERY_MS) return
    checkedAt = clock.now()
    const now = identityOf(path)
    if (now === seen) return
    seen = now
    const loaded = tryLoad(options)
    if (loaded === undefined) return
    users = loaded
    passwords = passwordsOf(users)
    // The salt key stays, else every unknown name would get a new salt while known ones keep theirs.
    desk = createSecretDesk(passwords, saltKey)
    owners = ownersOf(users)
    log.info('users file read again', { path, users: users.size })
  }
  return {
    path,
    lookup(name) {
      refresh()
      const wanted = name.toLowerCase()
      const found = users.get(wanted)
      const at = wanted.lastIndexOf('@')
      return found !== undefined || at < 0 || options.stripDomain !== true ? found : users.get(wanted.slice(0, at))
    },
    decoy: (name) => decoyFor(passwords, name.toLowerCase(), key),
    ownerOf(fingerprint) {
      refresh()
      return owners.get(fingerprint)
    },
    secrets: {
      holds(kind) {
        refresh()
        return desk.holds(kind)
      },
      secretOf: (name, ...rest) => desk.secretOf(canonical(name), ...rest),
    },
  }
}

function ownersOf(users: ReadonlyMap<string, UsersFileEntry>): ReadonlyMap<string, UsersFileEntry | undefined> {
  const owners = new Map<string, UsersFileEntry | undefined>()
  for (const entry of users.values()) {
    const { certificate } = entry
    if (certificate !== undefined) owners.set(certificate, owners.has(certificate) ? undefined : entry)
  }
  return owners
}

function passwordsOf(users: ReadonlyMap<string, UsersFileEntry>): readonly StoredPassword[] {
  return [...users.values()].flatMap((entry) => (entry.password === undefined ? [] : [entry.password]))
}

interface FirstLoad {
  readonly users: ReadonlyMap<string, UsersFileEntry>
  readonly seen: string
  /** Made from the file, so that all workers of a host show the same salt for a name. */
  readonly saltKey: Uint8Array
}

function loadFirst(options: UsersFileOptions): FirstLoad {
  const { path, log } = options
  const seen = identityOf(path)
  const text = readFileSync(path, 'utf8')
  const parsed = parseUsersFile(text, options.defaultScheme)
  if (parsed.kind === 'broken') throw new Error(brokenText(path, parsed))
  if ((statOf(path)?.mode ?? 0) & 0o004) log.warn('users file is readable by everybody on this host', { path })
  return { users: parsed.users, seen, saltKey: createHash('sha256').update('salts\0').update(text).digest() }
}

function tryLoad(options: UsersFileOptions): ReadonlyMap<string, UsersFileEntry> | undefined {
  const { path, log, defaultScheme } = options
  try {
    const parsed = parseUsersFile(readFileSync(path, 'utf8'), defaultScheme)
    if (parsed.kind === 'users') return parsed.users
    log.error('users file is broken, the former one stays', { path, line: parsed.line, reason: parsed.reason })
  } catch (cause) {
    log.error('users file cannot be read, the former one stays', { path, cause })
  }
  return undefined
}

function brokenText(path: string, broken: ParsedUsersFile & { kind: 'broken' }): string {
  return `users file ${path}, line ${broken.line}: ${broken.reason}`
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}

/** A file written twice within its clock's grain with the same size has another inode, or another change time. */
function identityOf(path: string): string {
  const stat = statOf(path)
  return stat === undefined ? 'absent' : `${stat.ino}/${stat.size}/${stat.mtimeMs}/${stat.ctimeMs}`
}
