// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import { docsText } from '@portico/cli'
import { limitsSchema } from '@portico/session'
import { expect, test } from 'vitest'

const root = new URL('../../../', import.meta.url)
const page = readFileSync(new URL('docs/limits.md', root), 'utf8')

/** The cells of the table rows of a page. */
function rows(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n').filter((line) => /^\| (?!---)/.test(line))
  return lines.map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))
}

const MEASURE = /^(?:list of )?(?:duration|size|whole number)$/
const limits = rows(docsText()).filter(([, type = '']) => MEASURE.test(type))

test('docs/limits.md has every duration, size and count of the configuration, with its default', () => {
  const configured = limits.map(([key, , value]) => `${key} ${value}`)
  const described = rows(page).flatMap(([key = '', value]) => (key.startsWith('`') ? [`${key} ${value}`] : []))
  expect(described.sort()).toEqual(configured.sort())
})

/** Where each fixed limit is decided. */
const FIXED: Readonly<Record<string, readonly [file: string, name: string]>> = {
  'PROXY header, version 1': ['packages/net/src/proxy-header.ts', 'V1_LONGEST'],
  'PROXY header, version 2': ['packages/net/src/proxy-v2.ts', 'V2_LONGEST'],
  'read ahead of a paused connection': ['packages/net/src/leg-input.ts', 'READ_AHEAD'],
  'queued towards a peer that does not read': ['packages/net/src/socket-transport.ts', 'MARK'],
  'log lines that wait for a disk or a reader': ['packages/telemetry/src/create-log.ts', 'MOST_BEHIND'],
  'connections over a limit that are told so at a time': ['packages/net/src/listener.ts', 'MOST_LINGERING'],
  'IMAP4 literal before sign-in': ['protocols/imap4/src/read-command.ts', 'LONGEST_LITERAL'],
  'IMAP4 literals of one command': ['protocols/imap4/src/read-command.ts', 'MOST_LITERALS'],
  'IMAP4 command with its literals': ['protocols/imap4/src/read-command.ts', 'MOST_OCTETS'],
  'IMAP4 literals that are swallowed': ['protocols/imap4/src/read-command.ts', 'MOST_SWALLOWED'],
  'IMAP4 nested lists': ['protocols/imap4/src/parse.ts', 'DEEPEST'],
  'SASL name or password': ['packages/sasl/src/server/text.ts', 'MAX_FIELD_OCTETS'],
  'SMTP command line': ['protocols/smtp/src/parse.ts', 'COMMAND_LINE'],
  'SMTP command line of MAIL and RCPT': ['protocols/smtp/src/parse.ts', 'ENVELOPE_LINE'],
  'SMTP path': ['protocols/smtp/src/address.ts', 'MAX_PATH'],
  'SMTP replies held for grouping': ['protocols/smtp/src/dialogue.ts', 'GROUPED'],
  'HTTP method': ['protocols/http/src/codec/head.ts', 'LONGEST_METHOD'],
  'HTTP chunk extensions of one message': ['protocols/http/src/codec/chunked.ts', 'MOST_EXTENSION'],
  'HTTP trailers of one message': ['protocols/http/src/codec/chunked.ts', 'MOST_TRAILER'],
  'line of an IMAP4 or POP3 backend before sign-in': ['packages/session/src/backend-dialogue.ts', 'LONGEST_LINE'],
  'lines of an IMAP4 or POP3 backend before sign-in': ['packages/session/src/backend-dialogue.ts', 'MOST_LINES'],
  'octets of an IMAP4 or POP3 backend before sign-in': ['packages/session/src/backend-dialogue.ts', 'MOST_OCTETS'],
  "line of an SMTP backend's reply": ['protocols/smtp/src/backend-reply.ts', 'REPLY_LINE'],
  "lines of an SMTP backend's reply": ['protocols/smtp/src/backend-reply.ts', 'REPLY_LINES'],
  'interim responses of an HTTP backend': ['protocols/http/src/exchange.ts', 'MOST_INTERIM'],
  'head of an auth-http answer': ['packages/auth/src/sources/auth-http-reply.ts', 'MOST_HEAD'],
  'body of an auth-http answer': ['packages/auth/src/sources/auth-http-reply.ts', 'MOST_BODY'],
  "failures in a row that open a backend's breaker": ['packages/pool/src/opener.ts', 'BREAKER_FAILURES'],
  'clients that must have seen them': ['packages/pool/src/opener.ts', 'BREAKER_CLIENTS'],
  'first time that a breaker stays open': ['packages/pool/src/opener.ts', 'BREAKER_MS'],
  'longest time that a breaker stays open': ['packages/pool/src/breaker.ts', 'LONGEST_MS'],
  'rest of a backend connection after use': ['packages/pool/src/shelf.ts', 'IDLE_MS'],
  'resting connections to one backend': ['packages/pool/src/shelf.ts', 'MAX_IDLE'],
  'silence before a leaving node says goodbye': ['packages/session/src/leaving.ts', 'SILENCE_MS'],
  "silence before a client's end is told to a TLS backend": ['packages/net/src/relay.ts', 'SILENT_MS'],
  'STARTTLS of an IMAP4 backend': ['protocols/imap4/src/driver.ts', 'HANDSHAKE_MS'],
  'STLS of a POP3 backend': ['protocols/pop3/src/driver.ts', 'HANDSHAKE_MS'],
  'STARTTLS of an SMTP backend': ['protocols/smtp/src/driver.ts', 'HANDSHAKE'],
  'proxies that a session may pass': ['packages/routing/src/router.ts', 'MAX_HOPS'],
  'keys of the in-memory state, of each kind': ['packages/state/src/memory.ts', 'maxKeys'],
}

test('docs/limits.md has the fixed limits as they are in the sources', () => {
  const fixed = page.slice(page.indexOf('\n## Fixed'))
  const described = rows(fixed).flatMap(([name, value]) => (name === 'limit' ? [] : [`${name}: ${value}`]))
  const decided = Object.entries(FIXED).map(([name, [file, constant]]) => `${name}: ${valueIn(file, constant)}`)
  expect(described.sort()).toEqual(decided.sort())
})

/** A constant of a source file: a number, or a product of numbers. */
function valueIn(file: string, name: string): number {
  const source = readFileSync(new URL(file, root), 'utf8')
  const text = new RegExp(`\\b${name} = ([0-9_ *]+)`).exec(source)?.[1] ?? ''
  return text.split('*').reduce((product, factor) => product * Number(factor.replaceAll('_', '')), 1)
}

test('the times that mail clients and servers count on are the defaults', () => {
  const minute = 60_000
  const defaults = limitsSchema.parse(undefined)
  expect(defaults).toMatchObject({ preAuth: minute, connect: 5_000, backendLogin: 20_000 })
  // IMAP4: RFC 9051 section 5.4; POP3: RFC 1939 section 3. One setting serves both.
  expect(defaults.idle).toBeGreaterThanOrEqual(30 * minute)
})
