// SPDX-License-Identifier: MIT
import type { Mechanism } from '../mechanism.js'
import { failure, type State, statefulExchange } from './challenge-exchange.js'
import { checkDigest } from './digest-proof.js'
import { type Nonce, randomNonce } from './nonce.js'

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
        return {
          step: { kind: 'challenge', data: challenge },
          next: (answer) => checkDigest('CRAM-MD5', answer, challenge, context),
        }
      }
      return statefulExchange(ask, context)
    },
  }
}
