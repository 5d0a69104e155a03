// SPDX-License-Identifier: MIT
import { timingSafeEqual } from 'node:crypto'
import type { Mechanism, MechanismContext } from '../mechanism.js'
import { refusalOf, saslprep } from '../saslprep.js'
import { failure, type State, statefulExchange, success } from './challenge-exchange.js'
import { type Nonce, randomNonce } from './nonce.js'
import { decodeUtf8, MAX_FIELD_OCTETS } from './text.js'

/** A response is the name, a space and 32 hexadecimal digits. */
const DIGEST_PART = 33

/**
 * CRAM-MD5 (RFC 2195): the server speaks first, the client proves by HMAC-MD5 over its challenge. `nonce` makes the challenge
 * unlike any other; a time stamp would add nothing to it.
 */
export function cramMd5(nonce: Nonce = randomNonce): Mechanism {
  return {
    name: 'CRAM-MD5',
    needs: 'verify-response',
    secret: 'CRAM-MD5',
    sendsPasswordInClear: false,
    strength: 'proof',
    begin(context) {
      const challenge = Buffer.from(`<${nonce()}@${context.localName}>`)
      const ask: State = async (response) => {
        // A server-first mechanism has no initial response (RFC 4422 section 3).
        if (response !== undefined) return { step: failure('malformed') }
        return { step: { kind: 'challenge', data: challenge }, next: (answer) => check(answer, challenge, context) }
      }
      return statefulExchange(ask, context)
    },
  }
}

async function check(
  response: Uint8Array | undefined,
  challenge: Uint8Array,
  { verifier, signal }: MechanismContext,
): ReturnType<State> {
  if (response === undefined) return { step: failure('malformed') }
  if (response.length > MAX_FIELD_OCTETS + DIGEST_PART) return { step: failure('too-long') }
  const [, name, hex] = /^(.+) ([0-9a-f]{32})$/s.exec(decodeUtf8(response) ?? '') ?? []
  if (name === undefined || hex === undefined || name.includes('\0')) return { step: failure('malformed') }
  const refusal = refusalOf(name)
  if (refusal !== undefined) return { step: failure(refusal) }
  const authcid = saslprep(name) ?? ''
  const found = await verifier.lookup({ authcid, authzid: undefined, secret: 'CRAM-MD5' }, signal)
  if (found.kind === 'rejected') return { step: failure(found.reason) }
  if (signal.aborted) return { step: failure('aborted') }
  if (found.kind === 'judge') {
    const judged = await found.judge(Buffer.from(challenge).toString(), hex)
    return { step: judged.kind === 'rejected' ? failure(judged.reason) : success(authcid, undefined) }
  }
  const { secret } = found
  const proved = secret.kind === 'cram-md5' && timingSafeEqual(secret.digest(challenge), Buffer.from(hex, 'hex'))
  const answer = await found.conclude(proved)
  return { step: answer.kind === 'rejected' ? failure(answer.reason) : success(authcid, undefined) }
}
