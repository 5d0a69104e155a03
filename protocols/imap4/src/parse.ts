// SPDX-License-Identifier: MIT
// The grammar of commands before sign-in (RFC 9051 section 9). Pure. Strings hold one octet per character unless said otherwise.
import { isForeignLine } from '@portico/session'

/** An argument of a command. `atom` and `string` hold octets; a list's items come in their order. */
export type Value =
  | { readonly kind: 'atom' | 'string'; readonly octets: string }
  | { readonly kind: 'list'; readonly items: readonly Value[] }

export interface ImapCommand {
  readonly tag: string
  /** Upper case. */
  readonly name: string
  readonly args: readonly Value[]
}

/** The start of a command line: enough to answer it and to know what may follow. */
export type Head =
  | { readonly kind: 'head'; readonly tag: string; readonly name: string }
  /** A usable tag with nothing sensible behind it. */
  | { readonly kind: 'bad'; readonly tag: string }
  | { readonly kind: 'untagged' }

// ASTRING-CHAR except "+": no CTL, no 8-bit, none of ( ) { SP % * " \ (RFC 9051 section 9, `tag`).
const TAG = /^[!#$&',\-./0-9:;<=>?@A-Z[\]^_`a-z|}~]{1,128}$/

/** Reads tag and command name. */
export function parseHead(line: string): Head {
  const space = line.indexOf(' ')
  const tag = space < 0 ? line : line.slice(0, space)
  if (!TAG.test(tag)) return { kind: 'untagged' }
  const name = /^([A-Za-z][A-Za-z0-9-]{0,63})(?= |$)/.exec(space < 0 ? '' : line.slice(space + 1))?.[1]
  return name === undefined ? { kind: 'bad', tag } : { kind: 'head', tag, name: name.toUpperCase() }
}

/** Whether a session's first line shows that the peer does not speak IMAP at all. `GET` would pass as a tag, so it takes a second look. */
export function isForeign(line: string): boolean {
  return parseHead(line).kind !== 'head' || isForeignLine(line)
}

/** A literal's announcement at the end of a line (RFC 9051 section 4.3, RFC 7888 section 3). */
export interface LiteralMark {
  readonly size: number
  /** The client waits for our `+` before it sends the octets. */
  readonly waits: boolean
}

/** Finds `{n}` or `{n+}` at the end of a line. Sizes that no number holds safely come out as Infinity. */
export function literalMark(line: string): LiteralMark | undefined {
  const match = /[ (]\{(\d{1,20})(\+?)\}$/.exec(line)
  if (match === null) return undefined
  const size = Number(match[1])
  return { size: Number.isSafeInteger(size) ? size : Number.POSITIVE_INFINITY, waits: match[2] === '' }
}

/** A piece of a command: text as it stood on a line, or the octets of a literal. The first and the last piece are text. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'literal'; readonly octets: string }

/** Reads a whole command; `undefined` when it breaks the grammar. */
export function parseCommand(pieces: readonly Piece[]): ImapCommand | undefined {
  const [first] = pieces
  if (first?.kind !== 'text') return undefined
  const head = parseHead(first.text)
  if (head.kind !== 'head') return undefined
  const { tag, name } = head
  const parser = new ArgumentParser(pieces, tag.length + 1 + name.length)
  const args = parser.all()
  return args === undefined ? undefined : { tag, name, args }
}

/** Values nest no deeper than this; ID's list needs one level. */
const DEEPEST = 4

class ArgumentParser {
  readonly #pieces: readonly Piece[]
  #piece = 0
  #at: number

  constructor(pieces: readonly Piece[], at: number) {
    this.#pieces = pieces
    this.#at = at
  }

  all(): readonly Value[] | undefined {
    const args: Value[] = []
    while (this.#rest !== '' || this.#literalNext) {
      if (!this.#skip(' ')) return undefined
      const value = this.#value(0)
      if (value === undefined) return undefined
      args.push(value)
    }
    return args
  }

  get #rest(): string {
    const piece = this.#pieces[this.#piece]
    return piece?.kind === 'text' ? piece.text.slice(this.#at) : ''
  }

  get #literalNext(): boolean {
    return this.#pieces[this.#piece + 1]?.kind === 'literal'
  }

  #skip(text: string): boolean {
    if (!this.#rest.startsWith(text)) return false
    this.#at += text.length
    return true
  }

  #value(depth: number): Value | undefined {
    const rest = this.#rest
    if (rest.startsWith('(')) return this.#list(depth)
    if (rest.startsWith('"')) return this.#quoted(rest)
    if (/^\{\d{1,20}\+?\}$/.test(rest)) return this.#literal()
    // Wider than ASTRING: clients send `domain\user` and passwords with wildcards without quotes, and they mean one thing only.
    // What is not ASCII takes a string (RFC 9051 section 4.3).
    const atom = /^[^\x00-\x20\x7f-\xff(){"]+/.exec(rest)?.[0]
    if (atom === undefined) return undefined
    this.#at += atom.length
    return { kind: 'atom', octets: atom }
  }

  #list(depth: number): Value | undefined {
    if (depth >= DEEPEST) return undefined
    this.#at += 1
    const items: Value[] = []
    while (!this.#skip(')')) {
      if (items.length > 0 && !this.#skip(' ')) return undefined
      const item = this.#value(depth + 1)
      if (item === undefined) return undefined
      items.push(item)
    }
    return { kind: 'list', items }
  }

  #quoted(rest: string): Value | undefined {
    const match = /^"((?:[^"\\\0\r\n]|\\["\\])*)"/.exec(rest)
    if (match === null) return undefined
    this.#at += match[0].length
    return { kind: 'string', octets: (match[1] ?? '').replace(/\\(.)/g, '$1') }
  }

  #literal(): Value | undefined {
    const literal = this.#pieces[this.#piece + 1]
    if (literal?.kind !== 'literal') return undefined
    this.#piece += 2
    this.#at = 0
    return { kind: 'string', octets: literal.octets }
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** An astring as text; `undefined` for a list, for octets that are no UTF-8, and for NUL (RFC 9051 section 4.3). */
export function textOf(value: Value | undefined): string | undefined {
  if (value === undefined || value.kind === 'list' || value.octets.includes('\0')) return undefined
  try {
    return UTF8.decode(Buffer.from(value.octets, 'latin1'))
  } catch {
    return undefined
  }
}

/** What a backend says in one line. */
export type ResponseLine =
  | { readonly kind: 'untagged'; readonly name: string; readonly rest: string }
  | { readonly kind: 'continue' }
  | { readonly kind: 'tagged'; readonly status: 'OK' | 'NO' | 'BAD'; readonly rest: string }
  | { readonly kind: 'garbage' }

/** Reads a line of a backend that was sent a command under `tag` (RFC 9051 section 7). */
export function parseResponse(line: string, tag: string): ResponseLine {
  if (line === '+' || line.startsWith('+ ')) return { kind: 'continue' }
  const untagged = /^\* (\S+) ?(.*)$/.exec(line)
  if (untagged !== null) return { kind: 'untagged', name: (untagged[1] ?? '').toUpperCase(), rest: untagged[2] ?? '' }
  const tagged = line.startsWith(`${tag} `) ? /^(OK|NO|BAD)(?: (.*))?$/i.exec(line.slice(tag.length + 1)) : null
  if (tagged === null) return { kind: 'garbage' }
  return { kind: 'tagged', status: (tagged[1] ?? '').toUpperCase() as 'OK' | 'NO' | 'BAD', rest: tagged[2] ?? '' }
}

/** The response code at the start of a response's text, upper case, without its arguments. */
export function responseCode(rest: string): string | undefined {
  return /^\[([^\] ]+)[\] ]/.exec(rest)?.[1]?.toUpperCase()
}

/** The words of a response with the code ALERT (RFC 9051 section 7.1); `undefined` for any other. */
export function alertText(response: string): string | undefined {
  return /^(?:(?:OK|NO|BAD) )?\[ALERT\] ?(.+)$/i.exec(response)?.[1]
}

/** A response without its REFERRAL code: it names a server that is none of the client's (RFC 2221 section 4.1). */
export function withoutReferral(response: string): string {
  return response.replace(/^((?:(?:OK|NO|BAD) )?)\[REFERRAL(?: [^\]]*)?\] ?/i, '$1')
}

/** Capability names, upper case, from a response code `[CAPABILITY …]`; `undefined` when the text has none. */
export function capabilityCode(rest: string): ReadonlySet<string> | undefined {
  const match = /^\[CAPABILITY ([^\]]*)\]/i.exec(rest)
  return match === null ? undefined : capabilityNames(match[1] ?? '')
}

/** Capability names, upper case, from the text behind `* CAPABILITY`. */
export function capabilityNames(text: string): ReadonlySet<string> {
  return new Set(text.toUpperCase().split(' ').filter(Boolean))
}

/** A quoted string, or `undefined` when only a literal can carry the text (RFC 9051 section 4.3). */
export function quoted(text: string): string | undefined {
  return /^[\x20-\x7e]*$/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : undefined
}
