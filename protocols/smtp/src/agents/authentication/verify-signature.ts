// SPDX-License-Identifier: MIT
import { createHash, verify } from 'node:crypto'
import type { Cancellation } from '@portico/base'
import type { DnsResolver } from '../dns/dns-resolver.js'
import { canonicalField, withoutSignature } from './canonical-header.js'
import type { Algorithm, Signature } from './signature.js'
import { type BodyHashes, type SignedField, type SignedMessage, signedHeader } from './signed-message.js'
import { type FoundKey, findKey } from './signing-key.js'

/** What became of one signature: RFC 8601 section 2.7.1. */
export interface SignatureVerdict {
  readonly result: 'pass' | 'fail' | 'policy' | 'neutral' | 'temperror' | 'permerror'
  readonly why?: string
}

/** What all signatures of a message are held against. */
export interface VerifyContext {
  readonly message: SignedMessage
  readonly bodies: BodyHashes
  readonly resolver: DnsResolver
  readonly signal: Cancellation
  /** Milliseconds since 1970. */
  readonly now: number
}

/** RFC 6376 section 6.1, and RFC 8617 section 5.2 for what signs messages in a chain. Never rejects. */
export async function verifySignature(
  signature: Signature,
  field: SignedField,
  { message, bodies, resolver, signal, now }: VerifyContext,
): Promise<SignatureVerdict> {
  const body = bodies(signature)
  // Whatever was put behind what is signed is shown to people as if it were signed, too (RFC 6376 section 8.2).
  if (body !== undefined && signature.limit !== undefined && signature.limit < body.length)
    return { result: 'policy', why: 'part of the body is not signed' }
  if (body?.hash !== signature.bodyHash) return { result: 'fail', why: 'body was changed' }
  if (signature.expires !== undefined && signature.expires * 1_000 < now) return { result: 'fail', why: 'expired' }
  const found = await findKey(signature.domain, signature.selector, resolver, signal)
  if (found.kind !== 'key') return verdictWithoutKey(found)
  if (found.sameDomain && signature.agentDomain !== signature.domain)
    return { result: 'permerror', why: 'key is for the signing domain only' }
  const text = `${signedHeader(message, signature.fields, signature.header)}${canonicalField(withoutSignature(field.lines), signature.header)}`
  if (verifies(signature.algorithm, found, text, signature.value)) return { result: 'pass' }
  return found.testing
    ? { result: 'neutral', why: 'signing is on trial' }
    : { result: 'fail', why: 'signature does not verify' }
}

/** What it means when there is no key to be had. */
export function verdictWithoutKey(found: Exclude<FoundKey, { kind: 'key' }>): SignatureVerdict {
  return found.kind === 'away' ? { result: 'temperror', why: found.why } : { result: found.result, why: found.why }
}

/** `text`: what is signed, one character for each octet. */
export function verifies(
  algorithm: Algorithm,
  { key }: Extract<FoundKey, { kind: 'key' }>,
  text: string,
  value: Buffer,
): boolean {
  const [type] = algorithm.split('-')
  if (key.asymmetricKeyType !== type) return false
  const octets = Buffer.from(text, 'latin1')
  if (type === 'rsa') return verify('sha256', octets, key, value)
  // RFC 8463 section 3: what is signed is the hash.
  return verify(null, createHash('sha256').update(octets).digest(), key, value)
}
