// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { DataEndFacts } from '../agent.js'
import type { DnsResolver } from '../dns/dns-resolver.js'
import { type ArcVerdict, verifyArc } from './arc.js'
import { type ReadChain, readChain } from './arc-chain.js'
import { type DkimVerdict, findSignatures, usable, verifyDkim } from './dkim.js'
import { hashBodies, readSigned } from './signed-message.js'

/** What the signatures of a message are worth. */
export interface SignatureVerdicts {
  readonly dkim: readonly DkimVerdict[]
  readonly arc: ArcVerdict
}

/** Octets of a message that is read for its signatures: half a second of work for each of the two forms in which bodies are signed. */
export const LARGEST_MESSAGE = 64 * 1024 * 1024

/** Verifies all signatures of a message, for which it is read once, and not at all where there are none. Rejects when the disk failed. */
export async function verifySignatures(
  { message, fields }: Pick<DataEndFacts, 'message' | 'fields'>,
  { resolver, signal, now }: { readonly resolver: DnsResolver; readonly signal: Cancellation; readonly now: number },
): Promise<SignatureVerdicts> {
  if (!fields.list.some(({ name }) => name === 'dkim-signature' || name.startsWith('arc-')))
    return { dkim: [], arc: { result: 'none', seals: [] } }
  if (message.size > LARGEST_MESSAGE) return nothingVerified('message too large')
  const signed = await readSigned(message, fields)
  if (signed === undefined) return nothingVerified('header cannot be read in one way only')
  const found = findSignatures(signed)
  const chain = readChain(signed)
  const bodies = await hashBodies(message, signed.bodyAt, [...usable(found), ...signatureOf(chain)])
  const context = { message: signed, bodies, resolver, signal, now }
  const [dkim, arc] = await Promise.all([verifyDkim(found, context), verifyArc(chain, context)])
  return { dkim, arc }
}

function signatureOf(chain: ReadChain) {
  return chain.kind === 'chain' ? [chain.last.signature] : []
}

function nothingVerified(why: string): SignatureVerdicts {
  return { dkim: [{ result: 'policy', why }], arc: { result: 'fail', why, seals: [] } }
}
