// SPDX-License-Identifier: MIT
import type { Mechanism } from '../mechanism.js'
import { failure, statefulExchange } from './challenge-exchange.js'
import { checkDigest } from './digest-proof.js'

/**
 * POP3's APOP (RFC 1939 section 7): one response, `name SP digest`, where the digest is MD5 over the greeting's timestamp and the
 * password. It needs the password itself on our side, and MD5 lets who listens search for it: for sites that have to.
 */
export const apop: Mechanism = {
  name: 'APOP',
  needs: 'verify-response',
  secret: 'APOP',
  sendsPasswordInClear: false,
  strength: 'proof',
  answersGreeting: true,
  begin(context) {
    const { timestamp } = context
    return statefulExchange(
      async (response) =>
        timestamp === undefined
          ? { step: failure('mechanism-unavailable') }
          : checkDigest('APOP', response, Buffer.from(timestamp), context),
      context,
    )
  },
}
