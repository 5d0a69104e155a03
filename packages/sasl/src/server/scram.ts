// SPDX-License-Identifier: MIT
import { timingSafeEqual } from 'node:crypto'
import type {
  ChannelFacts,
  ExchangeStep,
  LookupAnswer,
  Mechanism,
  MechanismContext,
  StoredSecret,
} from '../mechanism.js'
import { refusalOf, saslprep } from '../saslprep.js'
import { SCRAM_DIGEST, type ScramHash, scramDigest, scramHmac, xor } from '../scram-keys.js'
import { type ClientFirst, readClientFinal, readClientFirst } from '../scram-messages.js'
import { failure, type State, statefulExchange, success } from './challenge-exchange.js'
import { type Nonce, randomNonce } from './nonce.js'

export type ScramName = 'SCRAM-SHA-1' | 'SCRAM-SHA-1-PLUS' | 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS'

interface Scram extends MechanismContext {
  readonly name: ScramName
  readonly hash: ScramHash
  readonly secret: 'SCRAM-SHA-1' | 'SCRAM-SHA-256'
  readonly plus: boolean
  readonly nonce: Nonce
}

const NOTHING = new Uint8Array(0)

/**
 * SCRAM (RFC 5802, RFC 7677): the password does not cross the wire and the server proves itself too. The `-PLUS` forms bind the
 * TLS channel by tls-exporter (RFC 9266) or tls-server-end-point (RFC 5929). The server's signature goes out as a challenge,
 * which the client answers with nothing. `nonce` makes the server's part of the nonce.
 */
export function scram(name: ScramName, nonce: Nonce = randomNonce): Mechanism {
  const plus = name.endsWith('-PLUS')
  const secret = name.startsWith('SCRAM-SHA-256') ? 'SCRAM-SHA-256' : 'SCRAM-SHA-1'
  const hash = secret === 'SCRAM-SHA-256' ? 'sha256' : 'sha1'
  return {
    name,
    needs: 'lookup',
    secret,
    sendsPasswordInClear: false,
    strength: 'proof',
    bindsChannel: plus,
    begin: (context) => statefulExchange(ask({ ...context, name, hash, secret, plus, nonce }), context),
  }
}

/** A client-first mechanism without an initial response gets one empty challenge (RFC 4422 section 3). */
function ask(scram: Scram): State {
  return async (response) =>
    response === undefined
      ? { step: { kind: 'challenge', data: NOTHING }, next: (message) => first(message, scram) }
      : first(response, scram)
}

async function first(response: Uint8Array | undefined, scram: Scram): ReturnType<State> {
  if (response === undefined) return { step: failure('malformed') }
  const message = readClientFirst(response)
  if (typeof message === 'string') return { step: failure(message) }
  const bound = channelData(message.binding, scram)
  if ('kind' in bound) return { step: bound }
  const refusal = refusalOf(message.user) ?? (message.authzid === undefined ? undefined : refusalOf(message.authzid))
  if (refusal !== undefined) return { step: failure(refusal) }
  const authcid = saslprep(message.user) ?? ''
  const authzid = message.authzid === undefined ? undefined : saslprep(message.authzid)
  const found = await scram.verifier.lookup({ authcid, authzid, secret: scram.secret }, scram.signal)
  if (found.kind === 'rejected') return { step: failure(found.reason) }
  if (found.kind === 'judge') return { step: failure('mechanism-unavailable') }
  const { secret } = found
  if (secret.kind !== 'scram') return { step: failure('mechanism-unavailable') }
  const nonce = message.nonce + scram.nonce()
  const serverFirst = `r=${nonce},s=${Buffer.from(secret.salt).toString('base64')},i=${secret.iterations}`
  const channel = Buffer.concat([Buffer.from(message.gs2Header), bound])
  const expected = { nonce, channel, begun: `${message.bare},${serverFirst}`, found, secret, authcid, authzid }
  return challenge(serverFirst, (final) => prove(final, expected, scram))
}

interface Expected {
  readonly nonce: string
  readonly channel: Uint8Array
  /** client-first-message-bare and server-first-message. */
  readonly begun: string
  readonly found: LookupAnswer & { readonly kind: 'found' }
  readonly secret: StoredSecret & { readonly kind: 'scram' }
  readonly authcid: string
  readonly authzid: string | undefined
}

async function prove(response: Uint8Array | undefined, expected: Expected, scram: Scram): ReturnType<State> {
  const message = response === undefined ? 'malformed' : readClientFinal(response)
  if (typeof message === 'string') return { step: failure(message) }
  if (message.nonce !== expected.nonce) return { step: failure('malformed') }
  const { found, secret, channel, authcid, authzid } = expected
  const { hash } = scram
  const signed = `${expected.begun},${message.withoutProof}`
  const sameChannel = message.channel.equals(channel)
  const proved = message.proof.length === SCRAM_DIGEST[hash] && proves(hash, secret.storedKey, message.proof, signed)
  const answer = await found.conclude(proved && sameChannel)
  if (answer.kind === 'rejected') return { step: failure(answer.reason) }
  const signature = scramHmac(hash, secret.serverKey, signed).toString('base64')
  return challenge(`v=${signature}`, async (last) => ({
    step: last?.length === 0 ? success(authcid, authzid) : failure('malformed'),
  }))
}

/** RFC 5802 section 3: the proof with the signature taken off is the client's key, whose digest is stored. */
function proves(hash: ScramHash, storedKey: Uint8Array, proof: Uint8Array, signed: string): boolean {
  const clientKey = xor(proof, scramHmac(hash, storedKey, signed))
  return timingSafeEqual(scramDigest(hash, clientKey), storedKey)
}

/** What `c=` carries behind the header, or why the client's wish cannot be (RFC 5802 section 6). */
function channelData(
  binding: ClientFirst['binding'],
  { plus, name, offered, channel }: Scram,
): Uint8Array | ExchangeStep {
  if (binding.kind === 'used') {
    const data = plus ? dataOf(binding.type, channel) : undefined
    return data ?? failure(plus ? 'invalid-credentials' : 'malformed')
  }
  if (plus) return failure('malformed')
  // Somebody in between has taken -PLUS out of the list that this client saw.
  if (binding.kind === 'unused' && offered.includes(`${name}-PLUS`)) return failure('invalid-credentials')
  return NOTHING
}

function dataOf(type: string, channel: ChannelFacts): Uint8Array | undefined {
  return type === 'tls-exporter' || type === 'tls-server-end-point' ? channel.channelBinding(type) : undefined
}

function challenge(text: string, next: State): Awaited<ReturnType<State>> {
  return { step: { kind: 'challenge', data: Buffer.from(text) }, next }
}
