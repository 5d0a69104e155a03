// SPDX-License-Identifier: MIT
import { inspect } from 'node:util'
import {
  type AuthContext,
  type ClientFacts,
  type CredentialRequest,
  createHashThreads,
  type UsersFile,
} from '@portico/auth'
import { Secret } from '@portico/base'
import type { Log } from '@portico/telemetry'
import type { StoredPassword } from '../src/hash/index.js'
import { createSecretDesk } from '../src/sources/users-file-secrets.js'
import { parseUsersFile } from '../src/sources/users-file-syntax.js'

/** For sources that hash; its threads end with the test file. */
export const hashThreads = createHashThreads()

/** Keeps its lines as text, printed as deep as a log might. */
export function recordingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = []
  const write = (message: string, facts?: unknown) => {
    lines.push(`${message} ${inspect(facts, { depth: 20 })} ${JSON.stringify(facts)}`)
  }
  const log = { lines, debug: write, info: write, warn: write, error: write, child: () => log }
  return log
}

export function clientAt(address = '192.0.2.7', more: Partial<ClientFacts> = {}): ClientFacts {
  return {
    protocol: 'imap4',
    sessionId: 's1',
    peer: { address, port: 40_000, family: address.includes(':') ? 6 : 4 },
    local: { address: '192.0.2.1', port: 993, family: 4 },
    networks: [],
    encrypted: true,
    ...more,
  }
}

export function contextAt(address?: string, more: Partial<AuthContext> = {}): AuthContext {
  const client = clientAt(address)
  return {
    client,
    channel: { encrypted: client.encrypted, channelBinding: () => undefined },
    localName: 'mail.example.com',
    plaintextPasswords: 'never',
    failures: 0,
    ...more,
  }
}

export function requestOf(authcid: string, password: string, more: Partial<CredentialRequest> = {}): CredentialRequest {
  return { authcid, password: new Secret(password), mechanism: 'PLAIN', client: clientAt(), attempt: 1, ...more }
}

/** A users file without a file, whose hash checks are counted. */
export function memoryUsersFile(text: string): UsersFile & { checks: number } {
  const parsed = parseUsersFile(text)
  if (parsed.kind === 'broken') throw new Error(parsed.reason)
  const counting = { path: 'memory', checks: 0 }
  const count = (stored: StoredPassword): StoredPassword => ({
    ...stored,
    verify: (password, threads) => {
      counting.checks += 1
      return stored.verify(password, threads)
    },
  })
  const stored = [...parsed.users.values()].flatMap(({ password }) => (password === undefined ? [] : [password]))
  return Object.assign(counting, {
    mailbox: (name: string) => parsed.users.get(name.toLowerCase()),
    ownerOf: () => undefined,
    secrets: createSecretDesk(stored, Buffer.from('key')),
    lookup: (name: string) => {
      const entry = parsed.users.get(name.toLowerCase())
      return entry?.password === undefined ? entry : { ...entry, password: count(entry.password) }
    },
    decoy: () => {
      const [first] = parsed.users.values()
      return first?.password === undefined ? undefined : count(first.password)
    },
  })
}
