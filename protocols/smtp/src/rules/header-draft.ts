// SPDX-License-Identifier: MIT
import type { Mailbox } from '../address.js'
import { encodedText } from '../agents/header-text.js'
import { decodeWords } from '../content/encoded-words.js'
import type { HeaderEdits, HeaderFields } from '../message/header-fields.js'
import { addressesOf } from './address.js'

/** Characters of a line where a field is folded (RFC 5322 section 2.1.1). */
const LINE = 76

interface Changed {
  readonly name: string
  /** What stands behind the colon of each field of this name: a character for each octet, not folded. */
  readonly values: readonly string[]
}

/** A header section with what rules have changed in it so far: those behind see it so. */
export class HeaderDraft {
  readonly #fields: HeaderFields
  /** By name in lower case. */
  readonly #changed = new Map<string, Changed>()
  readonly #read = new Map<string, readonly string[]>()

  constructor(fields: HeaderFields) {
    this.#fields = fields
  }

  /** What stands behind the colon of each field of a name: a character for each octet, unfolded. */
  raw(name: string): readonly string[] {
    const lower = name.toLowerCase()
    const known = this.#changed.get(lower)?.values ?? this.#read.get(lower)
    if (known !== undefined) return known
    const values = this.#fields.list.filter((field) => field.name === lower).map((field) => field.text())
    this.#read.set(lower, values)
    return values
  }

  set(name: string, value: string): void {
    this.#change(name, [encodedText(value).replaceAll('\r\n', '')])
  }

  remove(name: string): void {
    this.#change(name, [])
  }

  /** In front of the subject, where it is not there already. */
  prependSubject(prefix: string): void {
    const [subject = '', ...others] = this.raw('subject')
    if (decodeWords(subject).toLowerCase().startsWith(prefix.trim().toLowerCase())) return
    this.#change('Subject', [prefixed(prefix, subject), ...others])
  }

  /** Names somebody in a field of addresses who is not named there. */
  nameIn(field: 'To' | 'Cc', mailboxes: readonly Mailbox[]): void {
    const [list, ...others] = this.raw(field)
    const known = new Set(addressesOf(list ?? '').map(({ text }) => text.toLowerCase()))
    const added = mailboxes.filter(({ text }) => !known.has(text.toLowerCase())).map(({ text }) => text)
    if (added.length === 0) return
    const before = withoutCommas(list ?? '')
    this.#change(field, [(before === '' ? added : [before, ...added]).join(', '), ...others])
  }

  /** What to do to the section; undefined where nothing has changed. */
  edits(): HeaderEdits | undefined {
    const changed = this.#changed
    if (changed.size === 0) return undefined
    const prepend = [...changed.values()].flatMap(({ name, values }) => values.map((value) => folded(name, value)))
    return { remove: ({ name }) => changed.has(name), prepend }
  }

  #change(name: string, values: readonly string[]): void {
    this.#changed.set(name.toLowerCase(), { name, values })
  }
}

/** White space between two encoded words is not shown (RFC 2047 section 6.2): there the prefix has to bring its own. */
function prefixed(prefix: string, subject: string): string {
  const beginsEncoded = /^=\?/.test(subject)
  const encoded = encodedText(prefix).replaceAll('\r\n', '')
  if (encoded === prefix) return beginsEncoded && !/\s$/.test(prefix) ? `${prefix} ${subject}` : prefix + subject
  if (subject === '') return encoded
  if (beginsEncoded) return `${encoded} ${subject}`
  return `${encodedText(prefix.trimEnd()).replaceAll('\r\n', '')} ${subject}`
}

/** A list that more may come behind. */
function withoutCommas(list: string): string {
  let end = list.length
  while (end > 0 && ', \t'.includes(list.charAt(end - 1))) end -= 1
  return list.slice(0, end)
}

/** A whole field, with line ends where white space is (RFC 5322 section 2.2.3). */
function folded(name: string, value: string): string {
  let text = `${name}:`
  let length = text.length
  // Lines of a message that nobody can agree on, which is refused elsewhere, begin none of ours.
  for (const [token] of ` ${value.replace(/[\0\r\n]/g, ' ')}`.matchAll(/[\t ]*[^\t ]+/g)) {
    const isFirst = text.length === name.length + 1
    if (!isFirst && length + token.length > LINE && /^[\t ]/.test(token)) {
      text += '\r\n'
      length = 0
    }
    text += token
    length += token.length
  }
  return `${text}\r\n`
}
