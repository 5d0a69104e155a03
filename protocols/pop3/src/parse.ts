// SPDX-License-Identifier: MIT
// The grammar of commands before sign-in (RFC 1939 section 3, RFC 5034 section 4). Pure. Strings hold one octet per character.
import { isForeignLine } from '@portico/session'

export interface Pop3Command {
  /** Upper case. */
  readonly name: string
  /** Everything behind the name and one space, as it stands; `undefined` when there is no space. */
  readonly rest: string | undefined
}

/** Reads a command line; `undefined` when it has no keyword. */
export function parseCommand(line: string): Pop3Command | undefined {
  const match = /^([A-Za-z]{3,15}[0-9]|[A-Za-z]{1,16})(?: (.*))?$/s.exec(line)
  if (match === null || /[\0\r]/.test(line)) return undefined
  return { name: (match[1] ?? '').toUpperCase(), rest: match[2] }
}

/** Whether a session's first line shows that the peer does not speak POP3 at all. */
export function isForeign(line: string): boolean {
  return parseCommand(line) === undefined || isForeignLine(line)
}

/** `NAME=value` pairs, names in upper case; `undefined` when a word is none, or a name comes twice. */
export function parsePairs(rest: string): ReadonlyMap<string, string> | undefined {
  const pairs = new Map<string, string>()
  for (const word of rest.split(' ').filter(Boolean)) {
    const [, name, value = ''] = /^([A-Za-z][A-Za-z-]{0,15})=([\x21-\x7e]*)$/.exec(word) ?? []
    if (name === undefined || pairs.has(name.toUpperCase())) return undefined
    pairs.set(name.toUpperCase(), value)
  }
  return pairs
}

/** The mechanism and the initial response of AUTH; `undefined` when it breaks the grammar (RFC 5034 section 4). */
export function parseAuth(
  rest: string,
): { readonly mechanism: string; readonly initial: string | undefined } | undefined {
  const match = /^([A-Za-z0-9_-]{1,20})(?: ([A-Za-z0-9+/=]+))?$/.exec(rest)
  return match === null ? undefined : { mechanism: (match[1] ?? '').toUpperCase(), initial: match[2] }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Octets as text; `undefined` when they are no UTF-8 (RFC 6856 section 2.2). */
export function textOf(octets: string): string | undefined {
  try {
    return UTF8.decode(Buffer.from(octets, 'latin1'))
  } catch {
    return undefined
  }
}

/** What a backend says in one line. */
export type ResponseLine =
  | { readonly kind: 'ok'; readonly text: string }
  | { readonly kind: 'error'; readonly code: string | undefined; readonly text: string }
  | { readonly kind: 'continue' }
  | { readonly kind: 'garbage' }

/** Reads a line of a backend: a status indicator or a SASL challenge (RFC 1939 section 3, RFC 2449 section 8, RFC 5034 section 4). */
export function parseResponse(line: string): ResponseLine {
  if (line === '+' || line.startsWith('+ ')) return { kind: 'continue' }
  const match = /^(\+OK|-ERR)(?: (.*))?$/.exec(line)
  if (match === null) return { kind: 'garbage' }
  const text = match[2] ?? ''
  if (match[1] === '+OK') return { kind: 'ok', text }
  return { kind: 'error', code: /^\[([^\]]+)\]/.exec(text)?.[1]?.toUpperCase(), text }
}

/** Capabilities by their tag, upper case, each with its parameters (RFC 2449 section 5). */
export function parseCapabilities(lines: readonly string[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    lines.map((line) => {
      const [name = '', ...parameters] = line.toUpperCase().split(' ').filter(Boolean)
      return [name, parameters]
    }),
  )
}
