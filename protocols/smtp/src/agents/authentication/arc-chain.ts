// SPDX-License-Identifier: MIT
import { canonicalField, withoutSignature } from './canonical-header.js'
import { domainOf } from './domains.js'
import { type Algorithm, algorithmOf, readSignature, type Signature, signatureValue } from './signature.js'
import type { SignedField, SignedMessage } from './signed-message.js'
import { parseTagList, type TagList } from './tag-list.js'

/** What one server has added (RFC 8617 section 4.2). */
export interface ArcSet {
  readonly instance: number
  readonly resultsField: SignedField
  readonly signatureField: SignedField
  readonly sealField: SignedField
  readonly sealer: string
  readonly selector: string
  readonly algorithm: Algorithm
  readonly value: Buffer
}

/** The sets in the order in which they were added. `last`: the newest, whose signature of the message has to hold. */
export type ReadChain =
  | { readonly kind: 'none' }
  | { readonly kind: 'fault'; readonly why: string }
  | {
      readonly kind: 'chain'
      readonly sets: readonly ArcSet[]
      readonly last: ArcSet & { readonly signature: Signature }
    }

/** RFC 8617 section 4.2.1. Each has its seal verified. */
const MOST_SETS = 50
const LONGEST_FIELD = 8 * 1024
const NAMES = ['arc-authentication-results', 'arc-message-signature', 'arc-seal'] as const

/** Reads a chain, and judges its structure: RFC 8617 section 5.2, steps 1 to 3. */
export function readChain(message: SignedMessage): ReadChain {
  const columns = NAMES.map((name) => message.named(name))
  const count = Math.max(...columns.map(({ length }) => length))
  if (count === 0) return { kind: 'none' }
  if (count > MOST_SETS) return fault('too many sets')
  if (columns.some(({ length }) => length !== count)) return fault('sets are not complete')
  const numbered = columns.map((fields) => new Map(fields.map((field) => [instanceOf(field), field])))
  const sets: ArcSet[] = []
  for (let instance = 1; instance <= count; instance += 1) {
    const set = setOf(
      instance,
      numbered.map((fields) => fields.get(instance)),
    )
    if (typeof set === 'string') return fault(`set ${instance}: ${set}`)
    sets.push(set)
  }
  return withLast(sets)
}

function withLast(sets: readonly ArcSet[]): ReadChain {
  const last = sets.at(-1)
  if (last === undefined) return fault('sets are not complete')
  const read = readSignature(last.signatureField.text(), 'arc')
  if (read.kind === 'fault') return fault(`set ${last.instance}: ${read.why}`)
  // RFC 8617 section 4.1.2: a seal signs them, and not they the seals.
  if (read.signature.fields.includes('arc-seal')) return fault(`set ${last.instance}: signs a seal`)
  return { kind: 'chain', sets, last: { ...last, signature: read.signature } }
}

/** `i=` is the first tag of results, and one among others of the rest. */
function instanceOf(field: SignedField): number | undefined {
  const text = field.text()
  if (text.length > LONGEST_FIELD) return undefined
  const written =
    field.name === NAMES[0]
      ? /^i[ \t]{0,9}=[ \t]{0,9}(\d{1,2})[ \t]{0,9};/.exec(text)?.[1]
      : parseTagList(text)?.get('i')
  return written !== undefined && /^[1-9]\d?$/.test(written) ? Number(written) : undefined
}

/** The set, or what is wrong with it. */
function setOf(
  instance: number,
  [resultsField, signatureField, sealField]: readonly (SignedField | undefined)[],
): ArcSet | string {
  if (resultsField === undefined || signatureField === undefined || sealField === undefined) return 'not complete'
  const tags: TagList = parseTagList(sealField.text()) ?? new Map()
  if (tags.has('h')) return 'seal has a list of fields'
  const before = tags.get('cv')?.toLowerCase()
  if (before === 'fail') return 'the chain was broken before'
  if (before !== (instance === 1 ? 'none' : 'pass')) return 'bad cv'
  const sealer = domainOf(tags.get('d') ?? '')
  const selector = domainOf(tags.get('s') ?? '')
  if (sealer === undefined || selector === undefined) return 'bad seal'
  const signed = signatureOf(tags)
  return signed === undefined
    ? 'bad seal'
    : { instance, resultsField, signatureField, sealField, sealer, selector, ...signed }
}

function signatureOf(tags: TagList): Pick<ArcSet, 'algorithm' | 'value'> | undefined {
  try {
    return { algorithm: algorithmOf(tags), value: signatureValue(tags) }
  } catch {
    return undefined
  }
}

/**
 * What the seal of each set signs: all fields of the sets up to it, its own without its value (RFC 8617 section 5.1.1). Each field is
 * made canonical once, however many seals are above it.
 */
export function sealedTexts(sets: readonly ArcSet[]): readonly string[] {
  let before = ''
  return sets.map(({ resultsField, signatureField, sealField }) => {
    before += lineOf(resultsField) + lineOf(signatureField)
    const text = `${before}${canonicalField(withoutSignature(sealField.lines), 'relaxed')}`
    before += lineOf(sealField)
    return text
  })
}

function lineOf({ lines }: SignedField): string {
  return `${canonicalField(lines, 'relaxed')}\r\n`
}

function fault(why: string): ReadChain {
  return { kind: 'fault', why }
}
