// SPDX-License-Identifier: MIT
import type { MethodResult } from '../../message/trace.js'
import { type ReadSignature, readSignature, type Signature } from './signature.js'
import type { SignedField, SignedMessage } from './signed-message.js'
import { type SignatureVerdict, type VerifyContext, verifySignature } from './verify-signature.js'

/** A DKIM-Signature field, read. */
export interface FoundSignature {
  readonly field: SignedField
  readonly read: ReadSignature
}

/** What became of one DKIM signature. */
export interface DkimVerdict extends SignatureVerdict {
  readonly domain?: string
  readonly selector?: string
  readonly mark?: string
}

/** Each costs a question to the DNS and a verification; mailing lists and forwarders together leave half of it (RFC 6376 section 6.1). */
export const MOST_SIGNATURES = 10

/** The first signatures of a message: those of the servers that it passed last. The others are not looked at. */
export function findSignatures(message: SignedMessage): readonly FoundSignature[] {
  return message
    .named('dkim-signature')
    .slice(0, MOST_SIGNATURES)
    .map((field) => ({ field, read: readSignature(field.text(), 'dkim') }))
}

/** Those of them that can be verified. */
export function usable(found: readonly FoundSignature[]): readonly Signature[] {
  return found.flatMap(({ read }) => (read.kind === 'signature' ? [read.signature] : []))
}

/** Never rejects. */
export function verifyDkim(found: readonly FoundSignature[], context: VerifyContext): Promise<readonly DkimVerdict[]> {
  return Promise.all(
    found.map(async ({ field, read }): Promise<DkimVerdict> => {
      if (read.kind === 'fault') return { result: read.result, why: read.why, ...read.named }
      const { domain, selector, mark } = read.signature
      return { ...(await verifySignature(read.signature, field, context)), domain, selector, mark }
    }),
  )
}

/** For Authentication-Results (RFC 8601 section 2.7.1): one for each signature, or `none`. */
export function dkimResults(verdicts: readonly DkimVerdict[]): readonly MethodResult[] {
  if (verdicts.length === 0) return [{ method: 'dkim', result: 'none', properties: [] }]
  return verdicts.map(({ result, why, domain, selector, mark }) => ({
    method: 'dkim',
    result,
    ...(why === undefined ? {} : { comment: why }),
    properties: [
      ['header.d', domain],
      ['header.s', selector],
      ['header.b', mark],
    ].flatMap(([name, value]) =>
      name === undefined || value === undefined || value === '' ? [] : [[name, value] as const],
    ),
  }))
}
