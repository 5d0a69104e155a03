// SPDX-License-Identifier: MIT
import type { HeaderEdits, HeaderField, HeaderFields } from '../../message/header-fields.js'
import { encodedText, headerField } from '../header-text.js'
import { type Change, MilterFault } from './answers.js'

/** One field of the header section as the milter sees it: one that came with the message, or one of its own. */
type Entry =
  | { readonly kind: 'came'; readonly name: string; readonly field: HeaderField }
  | { readonly kind: 'new'; readonly name: string; readonly text: string | undefined }

type HeaderChange = Extract<Change, { kind: 'add-header' | 'insert-header' | 'change-header' }>

/** More fields or octets than these are a fault: they go through memory at every message. */
const MOST_CHANGES = 500
const MOST_OCTETS = 262_144

/** What a milter makes of a header section, change by change: each counts on those before it. */
export class HeaderPlan {
  readonly #entries: Entry[]
  readonly #removed = new Set<HeaderField>()
  #changes = 0
  #octets = 0

  constructor(fields: HeaderFields) {
    this.#entries = fields.list.map((field) => ({ kind: 'came', name: field.name, field }))
  }

  /** Throws {@link MilterFault} for more than may be. */
  apply(change: HeaderChange): void {
    this.#changes += 1
    this.#octets += change.name.length + change.value.length
    if (this.#changes > MOST_CHANGES || this.#octets > MOST_OCTETS) throw new MilterFault('too many header fields')
    if (change.kind === 'change-header') this.#change(change)
    else if (change.kind === 'add-header') this.#entries.push(newEntry(change))
    else this.#entries.splice(change.index, 0, newEntry(change))
  }

  /** Undefined where nothing has changed. New fields go in front of all that came, in their order. */
  edits(): HeaderEdits | undefined {
    if (this.#changes === 0) return undefined
    const prepend = this.#entries.flatMap((entry) =>
      entry.kind === 'new' && entry.text !== undefined ? [entry.text] : [],
    )
    return { remove: (field) => this.#removed.has(field), prepend }
  }

  #change(change: Extract<HeaderChange, { kind: 'change-header' }>): void {
    const name = change.name.toLowerCase()
    const places = [...this.#entries.keys()].filter((at) => this.#entries[at]?.name === name)
    const at = places[Math.max(1, change.index) - 1]
    const old = at === undefined ? undefined : this.#entries[at]
    if (old?.kind === 'came') this.#removed.add(old.field)
    const put = change.value === '' ? [] : [newEntry(change)]
    if (at === undefined) this.#entries.push(...put)
    else this.#entries.splice(at, 1, ...put)
  }
}

/** A field that would not be one of the grammar is left out, and keeps its place for the counting. */
function newEntry({ name, value }: { readonly name: string; readonly value: string }): Entry {
  const text = headerField(name, encodedText(Buffer.from(value, 'latin1').toString('utf8')))
  return { kind: 'new', name: name.toLowerCase(), text }
}
