// SPDX-License-Identifier: MIT

/** A value in a command: an atom, a string (quoted or literal), or a parenthesised list. Text is Latin-1: one character, one octet. */
export type Value =
  | { readonly kind: 'atom'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Value[] }

export interface Command {
  readonly tag: string
  /** Upper case. */
  readonly name: string
  readonly args: readonly Value[]
}

const MAX_DEPTH = 20

/** Reads one command with its literals in place, without the last CRLF. Undefined when it is none. */
export function parseCommand(text: string): Command | undefined {
  const match = /^([^\s(){%*"\\+]+) ([A-Za-z]+)(?: |$)/.exec(text)
  if (match === null) return undefined
  const reader = new Reader(text, match[0].length)
  const args = reader.values('', 0)
  if (args === undefined) return undefined
  return { tag: match[1] ?? '', name: (match[2] ?? '').toUpperCase(), args }
}

class Reader {
  readonly #text: string
  #at: number

  constructor(text: string, at: number) {
    this.#text = text
    this.#at = at
  }

  /** Values up to `close`, which is taken; up to the end when it is empty. */
  values(close: string, depth: number): readonly Value[] | undefined {
    const values: Value[] = []
    for (;;) {
      while (this.#text[this.#at] === ' ') this.#at += 1
      if (this.#at >= this.#text.length) return close === '' ? values : undefined
      if (this.#text[this.#at] === ')') {
        this.#at += 1
        return close === ')' ? values : undefined
      }
      const value = this.#value(depth)
      if (value === undefined) return undefined
      values.push(value)
    }
  }

  #value(depth: number): Value | undefined {
    const first = this.#text[this.#at]
    if (first === '"') return this.#quoted()
    if (first === '{') return this.#literal()
    if (first !== '(') return this.#atom()
    if (depth >= MAX_DEPTH) return undefined
    this.#at += 1
    const items = this.values(')', depth + 1)
    return items === undefined ? undefined : { kind: 'list', items }
  }

  #quoted(): Value | undefined {
    const match = /"((?:\\["\\]|[^"\\\r\n])*)"/y
    const found = this.#match(match)
    return found === undefined ? undefined : { kind: 'string', text: (found[1] ?? '').replace(/\\(.)/g, '$1') }
  }

  #literal(): Value | undefined {
    const found = this.#match(/\{(\d+)\+?\}\r\n/y)
    if (found === undefined) return undefined
    const end = this.#at + Number(found[1])
    if (end > this.#text.length) return undefined
    const text = this.#text.slice(this.#at, end)
    this.#at = end
    return { kind: 'string', text }
  }

  /** A section in brackets belongs to its atom: `BODY.PEEK[HEADER.FIELDS (FROM TO)]<0.100>`. */
  #atom(): Value | undefined {
    const found = this.#match(/(?:\[[^\]\r\n]*\]|[^\s()"{[])+/y)
    return found === undefined ? undefined : { kind: 'atom', text: found[0] }
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found === null) return undefined
    this.#at = pattern.lastIndex
    return found
  }
}

/** An atom or a string; undefined for a list. */
export function textOf(value: Value | undefined): string | undefined {
  return value === undefined || value.kind === 'list' ? undefined : value.text
}

/** `1:4,7,9:*` as ascending pairs, with `*` for `last`. Undefined when it is no set. */
export function parseSet(text: string, last: number): readonly (readonly [number, number])[] | undefined {
  if (!/^(?:\d+|\*)(?::(?:\d+|\*))?(?:,(?:\d+|\*)(?::(?:\d+|\*))?)*$/.test(text)) return undefined
  const number = (part: string) => (part === '*' ? last : Number(part))
  return text.split(',').map((range) => {
    const [from = '', to = from] = range.split(':')
    return [Math.min(number(from), number(to)), Math.max(number(from), number(to))] as const
  })
}

export function inSet(set: readonly (readonly [number, number])[], number: number): boolean {
  return set.some(([from, to]) => number >= from && number <= to)
}
