// SPDX-License-Identifier: MIT
import type { Canonicalization } from './canonical-header.js'
import { domainOf, isWithin } from './domains.js'
import { parseTagList, type TagList, withoutBlanks, wordsOf } from './tag-list.js'

export type Algorithm = 'rsa-sha256' | 'ed25519-sha256'

/** What a DKIM-Signature (RFC 6376 section 3.5) or an ARC-Message-Signature (RFC 8617 section 4.1.2) says, and nothing that is wrong in itself. */
export interface Signature {
  readonly algorithm: Algorithm
  readonly domain: string
  readonly selector: string
  /** Domain of the user or agent for whom it was made (`i=`): that of the signature or one below. */
  readonly agentDomain: string
  readonly header: Canonicalization
  readonly body: Canonicalization
  /** Names of the signed fields, in lower case. */
  readonly fields: readonly string[]
  /** Base64. */
  readonly bodyHash: string
  readonly value: Buffer
  /** Octets of the body that are signed. */
  readonly limit: number | undefined
  /** Seconds since 1970. */
  readonly expires: number | undefined
  /** The first characters of the value, which tell this signature from others (RFC 6008). */
  readonly mark: string
}

/**
 * `fault`: it cannot count, whatever its key says; `result` as in RFC 8601 section 2.7.1. `named`: what it says of itself, where that
 * can be read.
 */
export type ReadSignature =
  | { readonly kind: 'signature'; readonly signature: Signature }
  | {
      readonly kind: 'fault'
      readonly result: 'neutral' | 'permerror' | 'policy'
      readonly why: string
      readonly named: Partial<Pick<Signature, 'domain' | 'selector' | 'mark'>>
    }

/** Octets of a signature's field. Those with a key of 4096 bits and a long list of fields stay below a quarter of it. */
const LONGEST_SIGNATURE = 8 * 1024
/** Each name is looked for among the fields. */
const MOST_SIGNED_FIELDS = 250
/** Octets of a value: a key of 4096 bits has 512. */
const LONGEST_VALUE = 512
/** Those that are added as marks: enough to tell signatures of one key apart (RFC 6008 section 4). */
const MARK_LENGTH = 8
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
const FIELD_NAME = /^[!-9;-~]+$/
const SECONDS = /^\d{1,12}$/
const LENGTH = /^\d{1,76}$/

/** Reads what stands behind the colon, unfolded, one character for each octet. `kind` says by which rules. */
export function readSignature(text: string, kind: 'dkim' | 'arc'): ReadSignature {
  if (text.length > LONGEST_SIGNATURE) return fault('neutral', 'signature too long')
  const tags = parseTagList(text)
  if (tags === undefined) return fault('neutral', 'bad signature syntax')
  const named = namesIn(tags)
  try {
    return { kind: 'signature', signature: signatureOf(tags, named, kind) }
  } catch (error) {
    if (!(error instanceof Unusable)) throw error
    return { kind: 'fault', result: error.result, why: error.message, named }
  }
}

/** Leaves the middle of reading: one thing that is wrong is enough. */
class Unusable extends Error {
  readonly result: 'neutral' | 'permerror' | 'policy'

  constructor(why: string, result: 'neutral' | 'permerror' | 'policy' = 'permerror') {
    super(why)
    this.result = result
  }
}

function fault(result: 'neutral', why: string): ReadSignature {
  return { kind: 'fault', result, why, named: {} }
}

function namesIn(tags: TagList) {
  const domain = domainOf(tags.get('d') ?? '')
  const selector = domainOf(tags.get('s') ?? '')
  const mark = withoutBlanks(tags.get('b') ?? '').slice(0, MARK_LENGTH)
  return {
    ...(domain === undefined ? {} : { domain }),
    ...(selector === undefined ? {} : { selector }),
    ...(BASE64.test(mark) ? { mark } : {}),
  }
}

function signatureOf(tags: TagList, named: ReturnType<typeof namesIn>, kind: 'dkim' | 'arc'): Signature {
  if (kind === 'dkim' && tags.get('v') !== '1') throw new Unusable('unknown version')
  const { domain, selector, mark } = named
  if (domain === undefined) throw new Unusable('bad signing domain')
  if (selector === undefined) throw new Unusable('bad selector')
  const { header, body } = canonicalizationOf(tags.get('c') ?? 'simple/simple')
  if (!(tags.get('q')?.toLowerCase().split(':').map(withoutBlanks).includes('dns/txt') ?? true))
    throw new Unusable('unknown query method')
  return {
    ...{ algorithm: algorithmOf(tags), domain, selector, header, body, mark: mark ?? '' },
    agentDomain: kind === 'dkim' ? agentDomainOf(tags.get('i'), domain) : domain,
    fields: fieldsOf(tags.get('h')),
    bodyHash: base64Of(tags.get('bh'), 'body hash'),
    value: signatureValue(tags),
    limit: numberOf(tags.get('l'), LENGTH, 'body length'),
    expires: expiryOf(tags),
  }
}

/** The algorithm of a signature or a seal. Signatures with SHA-1 count as none (RFC 8301 section 3.1). */
export function algorithmOf(tags: TagList): Algorithm {
  const algorithm = tags.get('a')?.toLowerCase()
  if (algorithm === 'rsa-sha256' || algorithm === 'ed25519-sha256') return algorithm
  if (algorithm === 'rsa-sha1') throw new Unusable('rsa-sha1 is too weak', 'policy')
  throw new Unusable('unknown algorithm')
}

function canonicalizationOf(text: string) {
  const [header, body = 'simple', ...more] = text.toLowerCase().split('/')
  if (!isForm(header) || !isForm(body) || more.length > 0) throw new Unusable('unknown canonicalization')
  return { header, body }
}

function isForm(text: string | undefined): text is Canonicalization {
  return text === 'simple' || text === 'relaxed'
}

/** RFC 6376 section 3.5: the domain of `i=` is that of `d=` or below. */
function agentDomainOf(identity: string | undefined, domain: string): string {
  if (identity === undefined) return domain
  const agent = domainOf(identity.slice(identity.lastIndexOf('@') + 1))
  if (!identity.includes('@') || agent === undefined || !isWithin(agent, domain))
    throw new Unusable('identity is not in the signing domain')
  return agent
}

/** RFC 6376 section 5.4: From is always signed. */
function fieldsOf(list: string | undefined): readonly string[] {
  const fields = wordsOf(list ?? '')
  if (fields.length > MOST_SIGNED_FIELDS) throw new Unusable('too many signed fields', 'policy')
  if (!fields.every((name) => FIELD_NAME.test(name))) throw new Unusable('bad list of signed fields')
  if (!fields.includes('from')) throw new Unusable('From is not signed')
  return fields
}

function base64Of(text: string | undefined, what: string): string {
  const value = withoutBlanks(text ?? '')
  if (!BASE64.test(value)) throw new Unusable(`bad ${what}`)
  return value
}

/** The signature itself. */
export function signatureValue(tags: TagList): Buffer {
  const value = Buffer.from(base64Of(tags.get('b'), 'signature value'), 'base64')
  if (value.length > LONGEST_VALUE) throw new Unusable('signature value too long', 'policy')
  return value
}

function expiryOf(tags: TagList): number | undefined {
  const signed = numberOf(tags.get('t'), SECONDS, 'time')
  const expires = numberOf(tags.get('x'), SECONDS, 'expiration')
  if (signed !== undefined && expires !== undefined && expires < signed)
    throw new Unusable('expires before it was made')
  return expires
}

function numberOf(text: string | undefined, form: RegExp, what: string): number | undefined {
  if (text === undefined) return undefined
  if (!form.test(text)) throw new Unusable(`bad ${what}`)
  return Number(text)
}
