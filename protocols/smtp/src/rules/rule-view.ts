// SPDX-License-Identifier: MIT

import type { MessageType } from '../content/content.js'
import { decodeWords } from '../content/encoded-words.js'
import { headerTypes } from '../content/message-types.js'
import { HeaderDraft } from './header-draft.js'
import { type Address, addressesOf, comparableDomain } from './mailbox-list.js'
import type { RuleFacts } from './rule-facts.js'
import { foldText } from './words.js'

/** A message as conditions see it: with what the rules before have changed. Everything is read when it is asked for. */
export class RuleView {
  readonly facts: RuleFacts
  readonly header: HeaderDraft
  /** What agents and rules have come to. */
  scl: number | undefined
  /** What a rule has made of it. */
  sclSet: number | undefined
  readonly #folded = new Map<string, string>()
  #recipients: readonly Address[] | undefined
  #headerTypes: ReadonlySet<MessageType> | undefined

  constructor(facts: RuleFacts) {
    this.facts = facts
    this.header = new HeaderDraft(facts.fields)
    this.scl = facts.scl
  }

  /** All header fields of a name, decoded (RFC 2047). */
  texts(name: string): readonly string[] {
    return this.header.raw(name).map(decodeWords)
  }

  /** A text in the form in which words are looked for; each is folded once. */
  folded(text: string): string {
    let folded = this.#folded.get(text)
    if (folded === undefined) {
      folded = foldText(text)
      this.#folded.set(text, folded)
    }
    return folded
  }

  senders(where: 'header' | 'envelope' | 'both'): readonly Address[] {
    const named = where === 'envelope' ? [] : this.header.raw('from').flatMap(addressesOf)
    const { sender } = this.facts.envelope
    const enveloped = sender === undefined || (where === 'header' && named.length > 0) ? [] : [addressIn(sender)]
    return [...named, ...enveloped]
  }

  get recipients(): readonly Address[] {
    this.#recipients ??= this.facts.envelope.recipients.map(addressIn)
    return this.#recipients
  }

  get headerTypes(): ReadonlySet<MessageType> {
    this.#headerTypes ??= headerTypes(this.facts.fields)
    return this.#headerTypes
  }
}

function addressIn({ local, domain }: { readonly local: string; readonly domain: string }): Address {
  return { text: domain === '' ? local : `${local}@${domain}`, domain: comparableDomain(domain) }
}
