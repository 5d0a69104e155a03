// SPDX-License-Identifier: MIT
import { z } from '@portico/config'
import type { HeaderEdits, HeaderField, HeaderFields } from '../../message/header-fields.js'
import { say } from '../../replies.js'
import type { Notes, Opinion } from '../agent.js'
import { encodedText, headerField } from '../header-text.js'

/** A field to add: its value, or that with its place, which does not count here, or several. */
const value = z.union([z.string(), z.looseObject({ value: z.string() })])
const addedFields = z.record(z.string(), z.union([value, z.array(value)]))
/** 0: all of the name; 1: the first; -1: the last. */
const removedFields = z.record(z.string(), z.union([z.int(), z.array(z.int())]))

const replySchema = z.looseObject({
  action: z.string(),
  score: z.number(),
  subject: z.string().optional(),
  messages: z.looseObject({ smtp_message: z.string().optional() }).optional().catch(undefined),
  milter: z
    .looseObject({
      add_headers: addedFields.optional().catch(undefined),
      remove_headers: removedFields.optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
  /** What it has found, by name. */
  symbols: z.unknown().optional(),
  'dkim-signature': z
    .union([z.string(), z.array(z.string())])
    .optional()
    .catch(undefined),
})

/** What of an answer of rspamd counts here. */
export type RspamdReply = z.output<typeof replySchema>

/** Throws where the text is no answer of rspamd. */
export function readReply(text: string): RspamdReply {
  return replySchema.parse(JSON.parse(text))
}

/** Fields that are ours alone to write, so that nobody tells recipients that something is no spam. */
const MARKS = new Set(['x-spam', 'x-spam-score'])
/** More fields or octets than these are dropped: they go through memory at every message. */
const MOST_FIELDS = 50
const MOST_OCTETS = 32_768
const LONGEST_TEXT = 200

/** What the site makes of an answer. */
export interface ReplyPolicy {
  /** Scores from which on the spam confidence level is 1, 2 … 9. Below the first nothing is said of it. */
  readonly sclFrom: readonly number[]
  /** What it wants in quarantine goes there; else such a message is marked only. */
  readonly hasQuarantine: boolean
}

/**
 * What its answer means. `greylist` only says that it would not mind to see the message again: when it wants that, it says
 * `soft reject`. `discard` is a finding like one that it rejects, since nothing vanishes here.
 */
export function opinionOf(reply: RspamdReply, fields: HeaderFields, policy: ReplyPolicy): Opinion {
  const notes = notesOf(reply.score, policy.sclFrom)
  switch (reply.action) {
    case 'reject':
    case 'discard':
      return against(reply, fields, notes)
    case 'soft reject':
      return { kind: 'refuse', reply: say(451, '4.7.1', textOf(reply, 'Try again later')) }
    case 'quarantine':
      if (policy.hasQuarantine) return against(reply, fields, notes)
      return { kind: 'pass', edits: editsOf(reply, fields, true), ...notes }
    case 'add header':
    case 'rewrite subject':
      return { kind: 'pass', edits: editsOf(reply, fields, true), ...notes }
    default:
      return { kind: 'pass', edits: editsOf(reply, fields, false), ...notes }
  }
}

/** Where it goes on all the same, it does so with the marks of spam. */
function against(reply: RspamdReply, fields: HeaderFields, notes: { readonly notes?: Notes }): Opinion {
  return {
    kind: 'against',
    reply: say(554, '5.7.1', textOf(reply, 'Message refused as spam')),
    reason: reasonOf(reply),
    edits: editsOf(reply, fields, true),
    ...notes,
  }
}

function notesOf(score: number, sclFrom: readonly number[]): { readonly notes?: Notes } {
  const scl = sclFrom.filter((from) => score >= from).length
  return scl === 0 ? {} : { notes: { scl } }
}

const MOST_SYMBOLS = 10
const LONGEST_SYMBOL = 50

/** Its score, and what counted most. */
function reasonOf({ score, symbols }: RspamdReply): string {
  const counted = Object.entries(symbols ?? {})
    .map(([name, symbol]) => ({ name: name.slice(0, LONGEST_SYMBOL), score: scoreOf(symbol) }))
    .filter((symbol) => symbol.score > 0)
    .sort((one, other) => other.score - one.score)
    .slice(0, MOST_SYMBOLS)
  const names = counted.map(({ name }) => name.replace(/[^!-~]/g, '?')).join(' ')
  return `score ${score.toFixed(2)}${names === '' ? '' : `: ${names}`}`
}

function scoreOf(symbol: unknown): number {
  const { score } = (symbol ?? {}) as { readonly score?: unknown }
  return typeof score === 'number' ? score : 0
}

/** Its words go out as they are but for their length; a status code of ours stands before them. */
function textOf({ messages }: RspamdReply, otherwise: string): string {
  const text = (messages?.smtp_message ?? '')
    .replace(/[^ -~]/g, '?')
    .replace(/^\d{3}[ -]?(?:\d\.\d\.\d )?/, '')
    .trim()
  return text === '' ? otherwise : text.slice(0, LONGEST_TEXT)
}

function editsOf(reply: RspamdReply, fields: HeaderFields, isSpam: boolean): HeaderEdits {
  const subject = reply.action === 'rewrite subject' ? reply.subject : undefined
  const removed = removedOf(reply.milter?.remove_headers ?? {}, fields)
  const added = [
    ...(isSpam ? ['X-Spam: yes\r\n', `X-Spam-Score: ${reply.score.toFixed(2)}\r\n`] : []),
    ...(subject === undefined ? [] : [headerField('Subject', encodedText(subject))]),
    ...signaturesOf(reply).map((signature) => headerField('DKIM-Signature', signature)),
    ...addedOf(reply.milter?.add_headers ?? {}),
  ]
  return {
    remove: (field) =>
      MARKS.has(field.name) || (subject !== undefined && field.name === 'subject') || removed.has(field),
    prepend: bounded(added.filter((field) => field !== undefined)),
  }
}

function signaturesOf(reply: RspamdReply): readonly string[] {
  return [reply['dkim-signature'] ?? []].flat()
}

function addedOf(added: z.output<typeof addedFields>): readonly (string | undefined)[] {
  return Object.entries(added)
    .filter(([name]) => !MARKS.has(name.toLowerCase()))
    .flatMap(([name, values]) =>
      [values].flat().map((one) => headerField(name, encodedText(typeof one === 'string' ? one : one.value))),
    )
}

function removedOf(removed: z.output<typeof removedFields>, fields: HeaderFields): ReadonlySet<HeaderField> {
  const chosen = new Set<HeaderField>()
  for (const [name, places] of Object.entries(removed)) {
    const named = [...fields].filter((field) => field.name === name.toLowerCase())
    for (const place of [places].flat()) {
      const some = place === 0 ? named : named.slice(place > 0 ? place - 1 : place).slice(0, 1)
      for (const field of some) chosen.add(field)
    }
  }
  return chosen
}

function bounded(fields: readonly string[]): readonly string[] {
  let octets = 0
  return fields.slice(0, MOST_FIELDS).filter((field) => {
    octets += field.length
    return octets <= MOST_OCTETS
  })
}
