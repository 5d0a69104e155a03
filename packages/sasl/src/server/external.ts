// SPDX-License-Identifier: MIT
import type { Mechanism } from '../mechanism.js'
import { refusalOf, saslprep } from '../saslprep.js'
import { failure, type State, statefulExchange, success } from './challenge-exchange.js'
import { decodeUtf8, MAX_FIELD_OCTETS } from './text.js'

const NOTHING = new Uint8Array(0)

/**
 * EXTERNAL (RFC 4422 appendix A): the client certificate of the TLS channel has proved already; the one message is the name to act
 * as, or empty for the certificate's own.
 */
export const external: Mechanism = {
  name: 'EXTERNAL',
  needs: 'certificate',
  sendsPasswordInClear: false,
  strength: 'certificate',
  begin({ clientCertificate, verifier, signal }) {
    const read: State = async (response) => {
      if (response === undefined) return { step: failure('malformed') }
      if (response.length > MAX_FIELD_OCTETS) return { step: failure('too-long') }
      const text = decodeUtf8(response)
      if (text === undefined || text.includes('\0')) return { step: failure('malformed') }
      const refusal = text === '' ? undefined : refusalOf(text)
      if (refusal !== undefined) return { step: failure(refusal) }
      const authzid = text === '' ? undefined : saslprep(text)
      if (clientCertificate?.authorized !== true) return { step: failure('invalid-credentials') }
      const answer = await verifier.verifyCertificate({ certificate: clientCertificate, authzid }, signal)
      return { step: answer.kind === 'rejected' ? failure(answer.reason) : success(answer.authcid, authzid) }
    }
    const ask: State = async (response) =>
      response === undefined ? { step: { kind: 'challenge', data: NOTHING }, next: read } : read(response)
    return statefulExchange(ask, { signal })
  },
}
