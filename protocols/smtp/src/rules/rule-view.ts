// SPDX-License-Identifier: MIT

import type { MessageType } from '../content/content.js'
import { decodeWords } from '../content/encoded-words.js'
import { headerTypes } from '../content/message-types.js'
import { type Address, addressesOf, addressIn } from './address.js'
import { HeaderDraft } from './header-draft.js'
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
  readonly #decoded = new Map<string, string>()
  readonly #addresses = new Map<string, readonly Address[]>()
  #recipients: readonly Address[] | undefined
  #headerTypes: ReadonlySet<MessageType> | undefined

  constructor(facts: RuleFacts) {
    this.facts = facts
    this.header = new HeaderDraft(facts.fields)
    this.scl = facts.scl
  }

  /** All header fields of a name, decoded (RFC 2047). */
  texts(name: string): readonly string[] {
    return this.header.raw(name).map((raw) => once(this.#decoded, raw, decodeWords))
  }

  /** A text in the form in which words are looked for. */
  folded(text: string): string {
    return once(this.#folded, text, foldText)
  }

  senders(where: 'header' | 'envelope' | 'both'): readonly Address[] {
    const raw = where === 'envelope' ? [] : this.header.raw('from')
    const named = raw.flatMap((text) => once(this.#addresses, text, addressesOf))
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

/** Many rules ask the same. */
function once<T>(known: Map<string, T>, text: string, read: (text: string) => T): T {
  let found = known.get(text)
  if (found === undefined) {
    found = read(text)
    known.set(text, found)
  }
  return found
}
