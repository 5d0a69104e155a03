// SPDX-License-Identifier: MIT

import type { AuthFailureReason, Cancellation, Proof, Strength } from '@portico/base'
import { clientKey } from '@portico/net'
import type { CertificateNames } from '../certificate-names.js'
import type {
  Concluded,
  CredentialAnswer,
  CredentialRequest,
  CredentialSource,
  LookupRequest,
  SecretReply,
  Unavailable,
} from '../credential-source.js'
import type { Hashing, HashThreads } from '../hash/hash-threads.js'
import { type StoredPassword, verifyPresented } from '../hash/index.js'
import type { Verdict } from '../hash/scheme.js'
import type { UsersFile } from './users-file.js'
import type { UsersFileEntry } from './users-file-syntax.js'

type Asked = Pick<CredentialRequest, 'client' | 'share'>
type Named = Pick<CredentialRequest, 'authcid' | 'mechanism' | 'client'>

const WRONG: Concluded = { kind: 'rejected', reason: 'invalid-credentials' }
const OVERBURDENED: Unavailable = { kind: 'unavailable', cause: new Error('no thread is free to hash the password') }

/**
 * The accounts of a users file as a credential source. A user without a stored password is `not-here`: the file only routes
 * them, unless it bars them, which is a wrong password to somebody who has shown none. That an account is disabled, not for this
 * protocol or not for this network is told only to who has shown the password.
 */
export function createUsersFileSource(
  file: UsersFile,
  options: { readonly name?: string; readonly hashThreads: HashThreads },
): CredentialSource {
  const { name = 'users-file', hashThreads } = options
  const threadsFor = ({ client, share = clientKey(client.peer) }: Asked, signal: Cancellation): Hashing =>
    hashThreads.onBehalfOf({ share, signal })
  const pretendTo = async (request: CredentialRequest, signal: Cancellation): Promise<Unavailable | undefined> => {
    const decoy = file.decoy(request.authcid)
    return decoy === undefined ? undefined : pretend(name, decoy, request, threadsFor(request, signal))
  }
  /** Somebody else knows the password; that the account may not be used here holds all the same. */
  const routedOnly = async (
    entry: UsersFileEntry,
    request: CredentialRequest,
    signal: Cancellation,
  ): Promise<CredentialAnswer> => {
    if (barredBy(entry, request) === undefined) return { kind: 'not-here' }
    const undone = await pretendTo(request, signal)
    return undone ?? { kind: 'rejected', reason: 'invalid-credentials' }
  }
  return {
    name,
    serves: new Set(['verify-plain', 'lookup', 'verify-response', 'certificate']),
    async verify(request, signal) {
      const entry = file.lookup(request.authcid)
      if (entry === undefined) return { kind: 'not-here' }
      const { password } = entry
      if (password === undefined) return routedOnly(entry, request, signal)
      // Not needed, but drawn for unknown names too, whose refusals would else come later by a hash.
      file.decoy(request.authcid)
      const proof = { source: name, user: entry.user, epoch: entry.epoch }
      const proved = await prove(request, proof, () =>
        verifyPresented(password, request.password.expose(), threadsFor(request, signal)),
      )
      if (proved === undefined) return OVERBURDENED
      if (!proved) return { kind: 'rejected', reason: 'invalid-credentials' }
      return afterProof(name, entry, request, { password: request.password }, 'plain')
    },
    holds: (kind) => file.secrets.holds(kind),
    lookup: (request, signal) => lookUp(name, file, request, threadsFor(request, signal)),
    async ownerOf(request) {
      const entry = ownerIn(file, request.names)
      if (entry === undefined) return { kind: 'not-here' }
      return afterProof(name, entry, { ...request, authcid: entry.user }, {}, 'certificate')
    },
    async account({ earlier, ...request }) {
      const entry = file.lookup(request.authcid)
      if (entry === undefined) return { kind: 'not-here' }
      if (earlier.source === name) return afterProof(name, entry, request, {}, earlier.strength)
      const reason = barredBy(entry, request)
      if (reason !== undefined) return { kind: 'rejected', reason }
      // With a password it is this file's to prove, and was not.
      return entry.password === undefined ? { kind: 'not-here' } : WRONG
    },
    unknownUserWork: pretendTo,
    canonical: (presented) => file.mailbox(presented)?.user,
    async [Symbol.asyncDispose]() {},
  }
}

/** An account that has a certificate of its own takes no other one that only bears its name. */
function ownerIn(file: UsersFile, { fingerprint, name }: CertificateNames): UsersFileEntry | undefined {
  const owner = fingerprint === undefined ? undefined : file.ownerOf(fingerprint)
  const named = owner === undefined && name !== undefined ? file.lookup(name) : undefined
  return owner ?? (named?.certificate === undefined ? named : undefined)
}

/** Goes through the cache as a real check does, so that concurrent equal guesses cost the same. */
async function pretend(
  name: string,
  decoy: StoredPassword,
  request: CredentialRequest,
  threads: Hashing,
): Promise<Unavailable | undefined> {
  const proved = await prove(request, { source: name, user: request.authcid, epoch: 'nobody' }, async () => {
    const verdict = await verifyPresented(decoy, request.password.expose(), threads)
    return verdict === undefined ? undefined : false
  })
  return proved === undefined ? OVERBURDENED : undefined
}

function prove(
  request: CredentialRequest,
  account: { readonly source: string; readonly user: string; readonly epoch: string },
  verify: () => Promise<Verdict>,
): Promise<Verdict> {
  const { cache, mechanism, password } = request
  return cache === undefined ? verify() : cache.prove({ ...account, mechanism, password }, verify)
}

/**
 * An account with a password of another form is here, but no proof in its name is right. One without a password is somebody
 * else's to prove, unless it is barred: the next source would not know that.
 */
async function lookUp(source: string, file: UsersFile, request: LookupRequest, threads: Hashing): Promise<SecretReply> {
  const { authcid } = request
  const entry = file.lookup(authcid)
  const found = await file.secrets.secretOf(entry?.user ?? authcid, entry?.password, request.secret, threads)
  if (found === undefined) return { kind: 'not-here' }
  const { secret } = found
  if (secret === undefined) return OVERBURDENED
  const barred = entry !== undefined && barredBy(entry, request) !== undefined
  if (entry?.password === undefined && !barred) return { kind: 'not-here', decoy: secret }
  const ifProved = entry !== undefined && found.real ? afterProof(source, entry, request, {}, 'proof') : WRONG
  return { kind: 'found', secret, ifProved }
}

function barredBy(entry: UsersFileEntry, request: Named): AuthFailureReason | undefined {
  if (entry.disabled) return 'account-disabled'
  if (entry.protocols?.has(request.client.protocol) === false) return 'protocol-disabled'
  if (entry.allowNets?.contains(request.client.peer.address) === false) return 'network-refused'
  return undefined
}

function afterProof(
  source: string,
  entry: UsersFileEntry,
  request: Named,
  proof: Proof,
  strength: Strength,
): Concluded {
  const reason = barredBy(entry, request)
  if (reason !== undefined) return { kind: 'rejected', reason }
  const { authcid, mechanism } = request
  const { user, epoch, fields } = entry
  return { kind: 'accepted', principal: { authcid, user, mechanism, strength, proof, source, epoch, fields } }
}
