// SPDX-License-Identifier: MIT
import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Cancellation } from '@portico/base'
import type { DnsResolver } from '../dns/dns-resolver.js'
import { parseTagList, withoutBlanks, wordsOf } from './tag-list.js'

/** A public key for signatures (RFC 6376 section 3.6.1, RFC 8463 section 4). */
export interface SigningKey {
  readonly key: KeyObject
  /** The domain of `i=` has to be that of the signature itself (`t=s`). */
  readonly sameDomain: boolean
  /** The domain tries signing out: what does not verify means nothing (`t=y`). */
  readonly testing: boolean
}

/** `away`: nobody knows for now. */
export type FoundKey =
  | ({ readonly kind: 'key' } & SigningKey)
  | { readonly kind: 'fault'; readonly result: 'permerror' | 'policy'; readonly why: string }
  | { readonly kind: 'away'; readonly why: string }

/** RFC 8301 section 3.2: shorter ones are no proof, longer ones need not be taken. */
const [FEWEST_BITS, MOST_BITS] = [1024, 4096]
/** Everybody takes 65537. With one as long as the key each verification costs a hundredfold, and a message brings dozens of them. */
const LARGEST_EXPONENT = 2n ** 32n
/** Characters of a record: a key of 4096 bits has some 740. */
const LONGEST_RECORD = 2048
const ED25519_OCTETS = 32
/** What stands before a bare Ed25519 key in a SubjectPublicKeyInfo (RFC 8410 section 4). */
const ED25519_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** Asks for the key of a signature. Never rejects. */
export async function findKey(
  domain: string,
  selector: string,
  resolver: DnsResolver,
  signal: Cancellation,
): Promise<FoundKey> {
  const answer = await resolver.ask(`${selector}._domainkey.${domain}`, 'TXT', signal)
  if (answer.kind === 'failed') return { kind: 'away', why: 'no answer from the DNS' }
  if (answer.kind === 'absent') return fault('no key')
  // Records of other kinds stand beside it where somebody has wildcards; with two keys nobody knows which one is meant.
  const records = answer.records.filter((record) => /(?:^|;)[ \t]*p[ \t]*=/.test(record.slice(0, LONGEST_RECORD)))
  const [record] = records
  if (record === undefined) return fault('no key')
  return records.length > 1 ? fault('several keys') : parseKey(record)
}

/** Reads a key record. */
export function parseKey(record: string): FoundKey {
  const tags = record.length > LONGEST_RECORD ? undefined : parseTagList(record)
  if (tags === undefined) return fault('bad key record')
  if ((tags.get('v') ?? 'DKIM1') !== 'DKIM1') return fault('unknown key version')
  if (!wordsOf(tags.get('h') ?? 'sha256').includes('sha256')) return fault('key is not for SHA-256')
  const services = wordsOf(tags.get('s') ?? '*')
  if (!services.includes('*') && !services.includes('email')) return fault('key is not for mail')
  const octets = withoutBlanks(tags.get('p') ?? '')
  if (octets === '') return fault('key revoked')
  const key = keyOf((tags.get('k') ?? 'rsa').toLowerCase(), octets)
  if (!('type' in key)) return key
  const flags = wordsOf(tags.get('t') ?? '')
  return { kind: 'key', key, sameDomain: flags.includes('s'), testing: flags.includes('y') }
}

function keyOf(type: string, base64: string): KeyObject | Extract<FoundKey, { kind: 'fault' }> {
  if (!BASE64.test(base64)) return fault('bad key')
  const octets = Buffer.from(base64, 'base64')
  if (type === 'ed25519') {
    if (octets.length !== ED25519_OCTETS) return fault('bad key')
    return createPublicKey({ key: Buffer.concat([ED25519_PREFIX, octets]), format: 'der', type: 'spki' })
  }
  if (type !== 'rsa') return fault('unknown key type')
  const key = rsaKey(octets, 'spki') ?? rsaKey(octets, 'pkcs1')
  if (key?.asymmetricKeyType !== 'rsa') return fault('bad key')
  const { modulusLength: bits = 0, publicExponent: exponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (bits < FEWEST_BITS) return fault('key too short', 'policy')
  if (exponent > LARGEST_EXPONENT) return fault('exponent of the key too large', 'policy')
  return bits > MOST_BITS ? fault('key too long', 'policy') : key
}

/** Either form is in use (RFC 6376 section 3.6.1 names one, its appendix C makes the other). */
function rsaKey(octets: Buffer, type: 'spki' | 'pkcs1'): KeyObject | undefined {
  try {
    return createPublicKey({ key: octets, format: 'der', type })
  } catch {
    return undefined
  }
}

function fault(why: string, result: 'permerror' | 'policy' = 'permerror'): Extract<FoundKey, { kind: 'fault' }> {
  return { kind: 'fault', result, why }
}
