// SPDX-License-Identifier: MIT

/** Markup that stands as it is: only {@link element} and {@link document} make it, from text that they escape. */
export class Markup {
  readonly source: string

  constructor(source: string) {
    this.source = source
  }
}

/** What an element may hold: text, markup, several of them; `undefined` is left out. */
export type Content = string | Markup | undefined | readonly Content[]

/** An element. Names and attributes' names are ours; everything else is escaped. */
export function element(
  name: string,
  content: Content,
  attributes: Readonly<Record<string, string | undefined>> = {},
): Markup {
  const written = Object.entries(attributes).map(([key, value]) =>
    value === undefined ? '' : ` ${key}="${escaped(value)}"`,
  )
  const inner = sourceOf(content)
  return new Markup(inner === '' ? `<${name}${written.join('')}/>` : `<${name}${written.join('')}>${inner}</${name}>`)
}

/** Elements that have a value, in their order. */
export function elements(values: Readonly<Record<string, Content>>): Content {
  return Object.entries(values).map(([name, value]) => (value === undefined ? undefined : element(name, value)))
}

/** A whole document; `doctype` stands before its root as it is. */
export function document(root: Markup, doctype?: string): string {
  const before = doctype === undefined ? '' : `${doctype}\n`
  return `<?xml version="1.0" encoding="utf-8"?>\n${before}${root.source}\n`
}

function sourceOf(content: Content): string {
  if (content === undefined) return ''
  if (typeof content === 'string') return escaped(content)
  return content instanceof Markup ? content.source : content.map(sourceOf).join('')
}

/** What XML 1.0 cannot hold in any spelling (section 2.2) becomes a replacement character. */
const IMPOSSIBLE = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

function escaped(text: string): string {
  return text
    .replace(IMPOSSIBLE, '\ufffd')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/\r/g, '&#13;')
}
