// SPDX-License-Identifier: MIT
import type { Mailbox } from '../address.js'
import { parseMimeField } from '../content/mime-field.js'
import type { HeaderFields } from '../message/header-fields.js'
import { textOf } from './field-values.js'
import { type Classification, CONTEXTS, type Evidence, type MessageClass } from './message-class.js'
import { parsePhoneAddress } from './phone-address.js'

/** What tells of which class a message is. */
export interface ClassFacts {
  /** What its sender sends and nothing else, as the site says. */
  readonly partner: MessageClass | undefined
  readonly fields: HeaderFields
  readonly recipients: readonly Pick<Mailbox, 'local'>[]
  /** Media types of the parts at its front, in lower case; undefined while nobody has looked. */
  readonly parts: readonly string[] | undefined
}

/** `look`: only the first parts of its body tell. */
export type Judgement =
  | { readonly kind: 'class'; readonly is: Classification }
  | { readonly kind: 'look' }
  | { readonly kind: 'none' }

/**
 * Of which class a message claims to be, by the strongest evidence there is. A fax that is called so by `Content-Class: fax` has a page
 * in HTML and behind it one in TIFF; without them it is no fax, whatever else it says.
 */
export function classify(facts: ClassFacts): Judgement {
  if (facts.partner !== undefined) return found(facts.partner, 'partner')
  const { fields, parts } = facts
  const contentClass = textOf(fields, 'content-class') ?? ''
  const named = CONTENT_CLASSES.get(contentClass)
  if (named !== undefined) return found(named, 'content-class')
  const claimsFax = contentClass === 'fax'
  if (claimsFax && isMultipart(fields)) {
    if (parts === undefined) return { kind: 'look' }
    if (parts[0] === 'text/html' && parts[1] === 'image/tiff') return found('fax', 'content-class')
  }
  for (const [evidence, read] of WEAKER) {
    const messageClass = read(facts)
    if (messageClass !== undefined && !(claimsFax && messageClass === 'fax')) return found(messageClass, evidence)
  }
  return { kind: 'none' }
}

function found(messageClass: MessageClass, evidence: Evidence): Judgement {
  return { kind: 'class', is: { messageClass, evidence } }
}

/** Values of Content-Class that say it all. */
const CONTENT_CLASSES: ReadonlyMap<string, MessageClass> = new Map([
  ['voice', 'voice'],
  ['voice-ca', 'voice'],
  ['voice-uc', 'voice'],
  ['missedcall', 'missed-call'],
  ['fax-ca', 'fax'],
])

const WEAKER: readonly (readonly [Evidence, (facts: ClassFacts) => MessageClass | undefined])[] = [
  ['message-context', ({ fields }) => byContext(fields)],
  ['vpim', ({ fields }) => (isVoiceMessage(fields) ? 'voice' : undefined)],
  ['fields', ({ fields }) => byCallFields(fields)],
  ['recipient', ({ recipients }) => byRecipients(recipients)],
]

function byContext(fields: HeaderFields): MessageClass | undefined {
  const context = textOf(fields, 'message-context')
  return CONTEXTS.find(([name]) => name === context)?.[1]
}

/** `multipart/voice-message`, or `MIME-Version: 1.0 (Voice 2.0)` (RFC 3801 sections 4.2.5 and 4.2.6). */
function isVoiceMessage(fields: HeaderFields): boolean {
  const version = fields.first('mime-version')?.text() ?? ''
  return (
    typeOf(fields) === 'multipart/voice-message' || /\(\s*voice\s+\d{1,3}\.\d{1,3}\s*\)/i.test(version.slice(0, 256))
  )
}

/** Fields about a call; those of both kinds say nothing. Who has called is told of calls of any kind. */
function byCallFields(fields: HeaderFields): MessageClass | undefined {
  const isVoice = fields.first('x-voicemessageduration') !== undefined
  const isFax = fields.first('x-faxnumberofpages') !== undefined
  return isVoice === isFax ? undefined : isVoice ? 'voice' : 'fax'
}

const SERVICES: ReadonlyMap<string, MessageClass> = new Map([
  ['FAX', 'fax'],
  ['VOICE', 'voice'],
  ['SMS', 'pager'],
])

/** Only where all recipients are telephones of one kind. */
function byRecipients(recipients: ClassFacts['recipients']): MessageClass | undefined {
  const services = new Set(recipients.map(({ local }) => parsePhoneAddress(local)?.service))
  const [service = ''] = services
  return services.size === 1 ? SERVICES.get(service) : undefined
}

function isMultipart(fields: HeaderFields): boolean {
  return typeOf(fields).startsWith('multipart/')
}

function typeOf(fields: HeaderFields): string {
  return parseMimeField(fields.first('content-type')?.text() ?? '').value
}
