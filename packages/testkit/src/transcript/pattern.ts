// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'

/** What a line of a transcript is made of. Literals are one character per octet (latin1). */
export type Part =
  | { readonly kind: 'literal'; readonly octets: string }
  | { readonly kind: 'anything' }
  | { readonly kind: 'name'; readonly name: string }
  /** MD5 in hex over what `$name` has stood for, and the octets. */
  | { readonly kind: 'md5'; readonly name: string; readonly octets: string }

/** What `$name` has stood for so far. */
export type Captures = Map<string, string>

/**
 * Reads the text of a line: `$*` anything within the line, `$name` a capture or its later use, `$$` a dollar sign,
 * `$(b64 "…")`, `$(repeat "…" 9000)`, `$(octets "…")`, `$(md5 name "…")`; strings know \0 \r \n \t \" \\ \xNN. Throws `SyntaxError`.
 */
export function parsePattern(text: string): readonly Part[] {
  const parts: Part[] = []
  let rest = text
  while (rest !== '') {
    const dollar = rest.indexOf('$')
    const literal = dollar < 0 ? rest : rest.slice(0, dollar)
    if (literal !== '') parts.push({ kind: 'literal', octets: octetsOf(literal) })
    if (dollar < 0) break
    const { part, length } = parseDollar(rest.slice(dollar))
    parts.push(part)
    rest = rest.slice(dollar + length)
  }
  return parts
}

function parseDollar(text: string): { part: Part; length: number } {
  if (text.startsWith('$*')) return { part: { kind: 'anything' }, length: 2 }
  if (text.startsWith('$$')) return { part: { kind: 'literal', octets: '$' }, length: 2 }
  const name = /^\$([a-z][A-Za-z0-9]*)/.exec(text)
  if (name !== null) return { part: { kind: 'name', name: name[1] ?? '' }, length: name[0].length }
  const md5 = /^\$\(md5 ([a-z][A-Za-z0-9]*) "((?:[^"\\]|\\.)*)"\)/.exec(text)
  if (md5 !== null) {
    return { part: { kind: 'md5', name: md5[1] ?? '', octets: unescaped(md5[2] ?? '') }, length: md5[0].length }
  }
  const call = /^\$\((b64|repeat|octets) "((?:[^"\\]|\\.)*)"(?: (\d+))?\)/.exec(text)
  if (call === null) throw new SyntaxError(`cannot read ${text.slice(0, 30)}; a dollar sign itself is written $$`)
  const [whole, verb, string = '', count = '1'] = call
  const octets = unescaped(string)
  const value =
    verb === 'b64'
      ? Buffer.from(octets, 'latin1').toString('base64')
      : verb === 'repeat'
        ? octets.repeat(Number(count))
        : octets
  return { part: { kind: 'literal', octets: value }, length: whole.length }
}

const ESCAPES: Readonly<Record<string, string>> = { '0': '\0', r: '\r', n: '\n', t: '\t' }

function unescaped(string: string): string {
  return string
    .split(/(\\x[0-9A-Fa-f]{2}|\\.)/)
    .map((piece) => {
      if (!piece.startsWith('\\')) return octetsOf(piece)
      if (piece.length === 4) return String.fromCharCode(Number.parseInt(piece.slice(2), 16))
      return ESCAPES[piece.slice(1)] ?? piece.slice(1)
    })
    .join('')
}

function octetsOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** The octets to send. Throws when a name has not been captured yet. */
export function expand(parts: readonly Part[], captures: Captures): string {
  return parts
    .map((part) => {
      if (part.kind === 'literal') return part.octets
      if (part.kind === 'anything') throw new SyntaxError('$* cannot be sent')
      const value = captures.get(part.name)
      if (value === undefined) throw new SyntaxError(`$${part.name} has not been captured yet`)
      return part.kind === 'name'
        ? value
        : createHash('md5')
            .update(value + part.octets, 'latin1')
            .digest('hex')
    })
    .join('')
}

/** How the received octets compare with the expectation. */
export type Match =
  | { readonly kind: 'matched'; readonly length: number; readonly captured: ReadonlyMap<string, string> }
  | { readonly kind: 'differs'; readonly actual: string }
  | { readonly kind: 'more' }

/** Compares what has come so far. With `crlf` the expectation is one whole line; without, it is a prefix. */
export function match(parts: readonly Part[], crlf: boolean, received: string, captures: Captures): Match {
  const names: string[] = []
  const expression = parts.map((part) => source(part, captures, names)).join('')
  if (!crlf) return matchPrefix(new RegExp(`^${expression}`, 's'), parts, received, names)
  const newline = received.indexOf('\n')
  if (newline < 0) return { kind: 'more' }
  const line = received.slice(0, newline + 1)
  const found = new RegExp(`^${expression}\r\n$`).exec(line)
  if (found === null) return { kind: 'differs', actual: line }
  return { kind: 'matched', length: line.length, captured: named(names, found) }
}

function matchPrefix(expression: RegExp, parts: readonly Part[], received: string, names: readonly string[]): Match {
  const found = expression.exec(received)
  if (found !== null && found[0].length > 0) {
    return { kind: 'matched', length: found[0].length, captured: named(names, found) }
  }
  const exact = parts.every((part) => part.kind === 'literal')
  const wanted = exact ? parts.map((part) => (part.kind === 'literal' ? part.octets : '')).join('') : ''
  const differs = exact && !wanted.startsWith(received.slice(0, wanted.length))
  return differs ? { kind: 'differs', actual: received } : { kind: 'more' }
}

function source(part: Part, captures: Captures, names: string[]): string {
  if (part.kind === 'literal') return quote(part.octets)
  if (part.kind === 'anything') return '[^\\r\\n]*?'
  if (part.kind === 'md5') throw new SyntaxError('$(md5 …) is only sent')
  const known = captures.get(part.name)
  if (known !== undefined) return quote(known)
  const earlier = names.indexOf(part.name)
  if (earlier >= 0) return `(?:\\${earlier + 1})`
  names.push(part.name)
  return '([^\\r\\n]+?)'
}

function named(names: readonly string[], found: RegExpExecArray): Map<string, string> {
  return new Map(names.map((name, index) => [name, found[index + 1] ?? '']))
}

function quote(octets: string): string {
  return octets
    .replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    .replace(/\r/g, '\\r')
    .replace(/\n/g, '\\n')
}
