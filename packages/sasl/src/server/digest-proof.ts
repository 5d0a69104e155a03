// SPDX-License-Identifier: MIT
import { timingSafeEqual } from 'node:crypto'
import type { MechanismContext } from '../mechanism.js'
import { refusalOf, saslprep } from '../saslprep.js'
import { failure, type State, success } from './challenge-exchange.js'
import { decodeUtf8, MAX_FIELD_OCTETS } from './text.js'

/** A response is the name, a space and 32 hexadecimal digits. */
const DIGEST_PART = 33

/** Checks a response of CRAM-MD5 (RFC 2195 section 2) or APOP (RFC 1939 section 7), and says how the exchange ends. */
export async function checkDigest(
  kind: 'CRAM-MD5' | 'APOP',
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
  const found = await verifier.lookup({ authcid, authzid: undefined, secret: kind }, signal)
  if (found.kind === 'rejected') return { step: failure(found.reason) }
  if (signal.aborted) return { step: failure('aborted') }
  if (found.kind === 'judge') {
    const judged = await found.judge(Buffer.from(challenge).toString(), hex)
    return { step: judged.kind === 'rejected' ? failure(judged.reason) : success(authcid, undefined) }
  }
  const { secret } = found
  const proved = secret.kind !== 'scram' && timingSafeEqual(secret.digest(challenge), Buffer.from(hex, 'hex'))
  const answer = await found.conclude(proved)
  return { step: answer.kind === 'rejected' ? failure(answer.reason) : success(authcid, undefined) }
}
