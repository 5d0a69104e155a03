// SPDX-License-Identifier: MIT
import { networksOf } from '@portico/base'
import { formatSize } from '@portico/config'
import type { Attachment, Content } from '../content/content.js'
import { DomainList } from '../message/domain-list.js'
import type { Address } from './address.js'
import type { Conditions } from './condition-schema.js'
import type { Pattern } from './pattern.js'
import type { RuleView } from './rule-view.js'
import { Words } from './words.js'

/** What has to be here before a condition can be judged: the header section, the whole message, or what is in it. */
export type Needs = 'header' | 'message' | 'content'

/**
 * What a condition comes to. `hit`: the value that fits, as the rule writes it. `unread`: nobody has read the content yet.
 * `unreadable`: it cannot be said.
 */
export type Found =
  | { readonly kind: 'hit'; readonly value: string }
  | { readonly kind: 'miss' }
  | { readonly kind: 'unread' }
  | { readonly kind: 'unreadable' }

export interface Condition {
  readonly name: keyof Conditions
  readonly needs: Needs
  test(view: RuleView): Found
}

export type Sender = 'header' | 'envelope' | 'both'

const MISS: Found = { kind: 'miss' }
const UNREAD: Found = { kind: 'unread' }
const UNREADABLE: Found = { kind: 'unreadable' }

function hit(value: string | undefined): Found {
  return value === undefined ? MISS : { kind: 'hit', value }
}

/** Says which of a condition's values is in a text. */
type Finder = (text: string, view: RuleView) => string | undefined
type Test = (view: RuleView) => Found
type Maker<V> = (value: V, sender: Sender) => { readonly needs: Needs; readonly test: Test }

function words(values: readonly string[]): Finder {
  const list = new Words(values)
  return (text, view) => list.in(view.folded(text))
}

function patterns(values: readonly Pattern[]): Finder {
  return (text) => values.find((value) => value.isIn(text))?.source
}

function firstOf<T>(items: Iterable<T>, find: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const value = find(item)
    if (value !== undefined) return value
  }
  return undefined
}

/** A condition on texts of the header section and the envelope. */
function onTexts<V>(
  finder: (value: V) => Finder,
  texts: (view: RuleView, sender: Sender) => readonly string[],
): Maker<V> {
  return (value, sender) => {
    const find = finder(value)
    return { needs: 'header', test: (view) => hit(firstOf(texts(view, sender), (text) => find(text, view))) }
  }
}

function onDomains(addresses: (view: RuleView, sender: Sender) => readonly Address[]): Maker<readonly string[]> {
  return (values, sender) => {
    const list = new DomainList(values)
    return { needs: 'header', test: (view) => hit(firstOf(addresses(view, sender), ({ domain }) => list.of(domain))) }
  }
}

function onHeader<V extends { readonly name: readonly string[] }>(finder: (value: V) => Finder): Maker<V> {
  return (value) => {
    const find = finder(value)
    const test: Test = (view) =>
      hit(
        firstOf(value.name, (name) => {
          const found = firstOf(view.texts(name), (text) => find(text, view))
          return found === undefined ? undefined : `${name}: ${found}`
        }),
      )
    return { needs: 'header', test }
  }
}

/** The subject is here early: where it fits, nobody has to read the text. */
function onText<V>(finder: (value: V) => Finder): Maker<V> {
  return (value) => {
    const find = finder(value)
    const test: Test = (view) => {
      const inSubject = firstOf(subjects(view), (text) => find(text, view))
      if (inSubject !== undefined) return hit(inSubject)
      return inContent(view, ({ text, truncated }) => {
        const most = view.facts.text
        const found = find(text.length > most ? text.slice(0, most) : text, view)
        if (found !== undefined) return hit(found)
        return truncated || text.length > most ? UNREADABLE : MISS
      })
    }
    return { needs: 'content', test }
  }
}

function onAttachments(find: (attachment: Attachment) => string | undefined): Test {
  return (view) => inContent(view, ({ attachments }) => hit(firstOf(attachments, find)))
}

function inContent({ facts: { content } }: RuleView, test: (content: Content) => Found): Found {
  if (content === undefined) return UNREAD
  return content.kind === 'content' ? test(content) : UNREADABLE
}

function subjects(view: RuleView): readonly string[] {
  return view.texts('subject')
}

const senderTexts = (view: RuleView, sender: Sender) => view.senders(sender).map(({ text }) => text)
const recipientTexts = (view: RuleView) => view.recipients.map(({ text }) => text)

/** Of these the header section tells all that there is to know. */
const IN_HEADER: ReadonlySet<string> = new Set(['auto-forward', 'auto-reply', 'bounce', 'read-receipt', 'fax', 'voice'])

type Values = { readonly [K in keyof Conditions]-?: NonNullable<Conditions[K]> }

const MAKERS: { readonly [K in keyof Values]: Maker<Values[K]> } = {
  fromAddressContains: onTexts(words, senderTexts),
  fromAddressMatches: onTexts(patterns, senderTexts),
  fromScope: (scope) => ({
    needs: 'header',
    test: ({ facts }) => hit(facts.inside === (scope === 'in') ? scope : undefined),
  }),
  senderDomain: onDomains((view, sender) => view.senders(sender)),
  senderIp: (values) => {
    const blocks = values.map((value) => ({ value, networks: networksOf([value]) }))
    return {
      needs: 'header',
      test: ({ facts: { client } }) =>
        hit(blocks.find(({ networks }) => client !== undefined && networks.contains(client))?.value),
    }
  },
  anyRecipientContains: onTexts(words, recipientTexts),
  anyRecipientMatches: onTexts(patterns, recipientTexts),
  recipientDomain: onDomains((view) => view.recipients),
  subjectContains: onTexts(words, subjects),
  subjectMatches: onTexts(patterns, subjects),
  subjectOrBodyContains: onText(words),
  subjectOrBodyMatches: onText(patterns),
  headerContains: onHeader((value) => words(value.words)),
  headerMatches: onHeader((value) => patterns(value.patterns)),
  messageSizeOver: (octets) => ({
    needs: 'message',
    test: ({ facts: { size } }) => hit(size !== undefined && size >= octets ? formatSize(octets) : undefined),
  }),
  attachmentSizeOver: (octets) => ({
    needs: 'content',
    test: onAttachments(({ size }) => (size >= octets ? formatSize(octets) : undefined)),
  }),
  attachmentName: (values) => ({
    needs: 'content',
    test: onAttachments(({ name, archived }) =>
      firstOf([name, ...archived], (text) => values.find((value) => value.isIn(text))?.source),
    ),
  }),
  attachmentExtension: (values) => {
    const wanted = new Map(values.map((value) => [value.replace(/^\./, '').toLowerCase(), value]))
    const test = onAttachments(({ extension, archived }) =>
      firstOf([extension, ...archived.map(extensionOf)], (text) => wanted.get(text)),
    )
    return { needs: 'content', test }
  },
  messageType: (values) => ({
    needs: values.every((value) => IN_HEADER.has(value)) ? 'header' : 'content',
    test: (view) => {
      const early: ReadonlySet<string> = view.headerTypes
      const known = values.find((value) => early.has(value) || view.facts.types.has(value))
      if (known !== undefined || values.every((value) => IN_HEADER.has(value))) return hit(known)
      return inContent(view, ({ types }) => hit(values.find((value) => (types as ReadonlySet<string>).has(value))))
    },
  }),
  // Who says most of it asks for the whole message.
  sclOver: (level) => ({
    needs: 'message',
    test: ({ scl }) => hit(scl !== undefined && scl >= level ? String(level) : undefined),
  }),
}

function extensionOf(name: string): string {
  return /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
}

const COST: Readonly<Record<Needs, number>> = { header: 0, message: 1, content: 2 }

/** The conditions of a rule; those first that cost least. */
export function conditionsOf(conditions: Conditions, sender: Sender): readonly Condition[] {
  const names = (Object.keys(MAKERS) as (keyof Values)[]).filter((name) => conditions[name] !== undefined)
  return names
    .map((name) => conditionOf(name, conditions as Values, sender))
    .sort((one, other) => COST[one.needs] - COST[other.needs])
}

function conditionOf<K extends keyof Values>(name: K, conditions: Values, sender: Sender): Condition {
  const make: Maker<Values[K]> = MAKERS[name]
  return { name, ...make(conditions[name], sender) }
}
