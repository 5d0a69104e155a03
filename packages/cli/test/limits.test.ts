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
/** Numbers that do not say how much of something there may be: ports, places in an order, and what a rule asks or does. */
const NO_MEASURE = /\.(?:ports?|priority|scl)`$|\.rules\[\]\./
const limits = rows(docsText()).filter(([key = '', type = '']) => MEASURE.test(type) && !NO_MEASURE.test(key))

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
  'SMTP replies held for grouping': ['packages/session/src/client-dialogue.ts', 'GROUPED'],
  'SMTP header fields of one message': ['protocols/smtp/src/message/header-fields.ts', 'MOST_FIELDS'],
  'SMTP message that agents read, in memory': ['protocols/smtp/src/message/spool.ts', 'DEFAULT_MEMORY_LIMIT'],
  'SMTP messages that agents read, in memory, all together': [
    'protocols/smtp/src/message/spool-budget.ts',
    'DEFAULT_MEMORY',
  ],
  'SMTP messages that agents read, on disk, all together': [
    'protocols/smtp/src/message/spool-budget.ts',
    'DEFAULT_DISK',
  ],
  'SMTP message that is read for its signatures': [
    'protocols/smtp/src/agents/authentication/signatures.ts',
    'LARGEST_MESSAGE',
  ],
  'DKIM signatures of one message': ['protocols/smtp/src/agents/authentication/dkim.ts', 'MOST_SIGNATURES'],
  'DKIM signature field': ['protocols/smtp/src/agents/authentication/signature.ts', 'LONGEST_SIGNATURE'],
  'DKIM signed fields': ['protocols/smtp/src/agents/authentication/signature.ts', 'MOST_SIGNED_FIELDS'],
  'DKIM key record': ['protocols/smtp/src/agents/authentication/signing-key.ts', 'LONGEST_RECORD'],
  'ARC sets of one message': ['protocols/smtp/src/agents/authentication/arc-chain.ts', 'MOST_SETS'],
  'ARC field that is read': ['protocols/smtp/src/agents/authentication/arc-chain.ts', 'LONGEST_FIELD'],
  'From field that DMARC reads': ['protocols/smtp/src/agents/authentication/author.ts', 'LONGEST_FROM'],
  'DMARC record': ['protocols/smtp/src/agents/authentication/dmarc-record.ts', 'LONGEST_RECORD'],
  'SPF policy': ['protocols/smtp/src/agents/authentication/mailauth.ts', 'LONGEST_POLICY'],
  'SPF questions of one check': ['protocols/smtp/src/agents/authentication/mailauth.ts', 'MOST_QUESTIONS'],
  'DMARC domains of one From field': ['protocols/smtp/src/agents/authentication/author.ts', 'MOST_DOMAINS'],
  "front of a partner's message in which a fax is looked for": ['protocols/smtp/src/telephony/first-parts.ts', 'FRONT'],
  'parts of it that are looked at': ['protocols/smtp/src/telephony/first-parts.ts', 'MOST_PARTS'],
  'fields of a stranger about a call that stay under another name': [
    'protocols/smtp/src/telephony/claims.ts',
    'MOST_KEPT',
  ],
  "digits of a telephone's number": ['protocols/smtp/src/telephony/phone-address.ts', 'MOST_DIGITS'],
  "qualifiers of a telephone's number": ['protocols/smtp/src/telephony/phone-address.ts', 'MOST_QUALIFIERS'],
  'SMTP message on its way to the disk': ['protocols/smtp/src/message/spool.ts', 'MOST_WAITING'],
  'messages of a client in one handshake of Negotiate or NTLM': ['packages/auth/src/decide-handshake.ts', 'MOST_STEPS'],
  'HTTP sign-in that is taken as proved': ['protocols/http/src/sign-in/signed-in.ts', 'RENEWED_AFTER'],
  'HTTP method': ['protocols/http/src/codec/head.ts', 'LONGEST_METHOD'],
  'HTTP chunk extensions of one message': ['protocols/http/src/codec/chunked.ts', 'MOST_EXTENSION'],
  'costly frames of an HTTP/2 client at once': ['protocols/http/src/http2/flood-gauge.ts', 'BURST'],
  'costly frames of an HTTP/2 client in a second': ['protocols/http/src/http2/flood-gauge.ts', 'PER_SECOND'],
  'crumbs of cookies beside the fields of an HTTP/2 request': ['protocols/http/src/http2/session-options.ts', 'CRUMBS'],
  'memory of one HTTP/2 connection': ['protocols/http/src/http2/session-options.ts', 'MEMORY'],
  'window of an HTTP/2 stream before sign-in': ['protocols/http/src/http2/session-options.ts', 'STRANGERS_WINDOW'],
  'window of an HTTP/2 stream': ['protocols/http/src/http2/session-options.ts', 'WINDOW'],
  'queued towards an HTTP/2 stream that is not read': ['protocols/http/src/http2/h2-exchange.ts', 'MARK'],
  'faults of an HTTP/2 client': ['protocols/http/src/http2/session-options.ts', 'MOST_FAULTS'],
  'elements of a `Forwarded` field': ['protocols/http/src/codec/forwarded.ts', 'MOST_ELEMENTS'],
  'wait for an HTTP client that asks nothing while the node leaves': [
    'protocols/http/src/serve-http1.ts',
    'DRAIN_WAIT',
  ],
  'HTTP trailers of one message': ['protocols/http/src/codec/chunked.ts', 'MOST_TRAILER'],
  'HTTP sign-in form': ['protocols/http/src/forms/read-form.ts', 'LONGEST_FORM'],
  'time that an HTTP sign-in page may stay open': ['protocols/http/src/forms/page-token.ts', 'PAGE_LIFE'],
  'destination of an HTTP sign-in': ['protocols/http/src/forms/destination.ts', 'LONGEST'],
  'cookie of an HTTP sign-in': ['protocols/http/src/forms/cookies.ts', 'LONGEST_COOKIE'],
  'ended sign-ins that a process remembers': ['protocols/http/src/forms/revocations.ts', 'MOST'],
  'ActiveSync device id or type': ['protocols/http/src/activesync/query.ts', 'LONGEST'],
  'age at which an ActiveSync Sync is taken for a wait': ['protocols/http/src/activesync/device-gate.ts', 'LONG_SYNC'],
  'question of Autodiscover': ['protocols/http/src/autodiscover/serve-answer.ts', 'LONGEST_QUESTION'],
  'levels of such a question': ['protocols/http/src/autodiscover/xml.ts', 'DEEPEST'],
  'elements of such a question': ['protocols/http/src/autodiscover/xml.ts', 'MOST_ELEMENTS'],
  'attributes of such a question': ['protocols/http/src/autodiscover/xml.ts', 'MOST_ATTRIBUTES'],
  'users or domains of such a question': ['protocols/http/src/autodiscover/soap.ts', 'MOST_SUBJECTS'],
  'settings of such a question': ['protocols/http/src/autodiscover/soap.ts', 'MOST_SETTINGS'],
  'name of a setting in such a question': ['protocols/http/src/autodiscover/soap.ts', 'LONGEST_SETTING'],
  'distinguished name in such a question': ['protocols/http/src/autodiscover/pox-request.ts', 'LONGEST_DN'],
  'rest that a channel of RPC over HTTP may ask for': ['protocols/http/src/outlook/rpc-request.ts', 'LONGEST_REST'],
  'what it gets beyond that': ['protocols/http/src/backend/proxy.ts', 'REST_MARGIN'],
  'line of an IMAP4 or POP3 backend before sign-in': ['packages/session/src/backend-dialogue.ts', 'LONGEST_LINE'],
  'lines of an IMAP4 or POP3 backend before sign-in': ['packages/session/src/backend-dialogue.ts', 'MOST_LINES'],
  'octets of an IMAP4 or POP3 backend before sign-in': ['packages/session/src/backend-dialogue.ts', 'MOST_OCTETS'],
  "line of an SMTP backend's reply": ['protocols/smtp/src/backend/reply.ts', 'REPLY_LINE'],
  "lines of an SMTP backend's reply": ['protocols/smtp/src/backend/reply.ts', 'REPLY_LINES'],
  'text of a reply line that an SMTP client gets': ['protocols/smtp/src/backend/reply.ts', 'MOST_TEXT'],
  'reply to an unknown recipient that is remembered': ['protocols/smtp/src/backend/recipient-memory.ts', 'LONGEST'],
  'clients of one SMTP backend connection': ['protocols/smtp/src/backend/reset.ts', 'MOST_CLIENTS'],
  'SMTP backends whose extensions are remembered': ['protocols/smtp/src/backend/offers.ts', 'MANY'],
  'time that what an SMTP backend offers counts': ['protocols/smtp/src/backend/offers.ts', 'FRESH_MS'],
  'time that an SMTP backend that cannot be asked is left alone': ['protocols/smtp/src/backend/offers.ts', 'AWAY_MS'],
  'backend transactions of one SMTP message': ['protocols/smtp/src/transaction/branches.ts', 'MOST_BRANCHES'],
  'time that an SMTP backend may take nothing of a message': ['protocols/smtp/src/transaction/delivery.ts', 'BLOCKED'],
  'time to learn what SMTP backends offer': ['protocols/smtp/src/backend/offers.ts', 'WAIT_MS'],
  'answer to a challenge of ACME': ['protocols/http/src/door/acme.ts', 'LARGEST'],
  'interim responses of an HTTP backend': ['protocols/http/src/backend/exchange.ts', 'MOST_INTERIM'],
  'head of an auth-http answer': ['packages/net/src/http-reply.ts', 'MOST_HEAD'],
  'body of an auth-http answer': ['packages/net/src/http-reply.ts', 'MOST_BODY'],
  'DNS questions that wait to be asked': ['protocols/smtp/src/agents/dns/question-desk.ts', 'MOST_WAITING'],
  'lists of a `dns-list` agent': ['protocols/smtp/src/agents/dns-list/dns-list-schema.ts', 'MOST_PROVIDERS'],
  'text of a DNS list in a reply': ['protocols/smtp/src/agents/dns-list/reply-text.ts', 'LONGEST_TEXT'],
  'Received field in which an address is looked for': [
    'protocols/smtp/src/agents/dns-list/received-origin.ts',
    'LONGEST',
  ],
  'time after which an odd answer of a DNS list is told again': [
    'protocols/smtp/src/agents/dns-list/lists.ts',
    'TOLD_AGAIN_MS',
  ],
  'rules of one block or file': ['protocols/smtp/src/rules/rules-schema.ts', 'MOST_RULES'],
  'values of one condition of a rule': ['protocols/smtp/src/rules/values.ts', 'MOST_VALUES'],
  'patterns of one condition of a rule': ['protocols/smtp/src/rules/values.ts', 'MOST_PATTERNS'],
  'word or phrase of a rule': ['protocols/smtp/src/rules/values.ts', 'LONGEST_WORD'],
  'pattern of a rule': ['protocols/smtp/src/rules/pattern.ts', 'LONGEST_PATTERN'],
  'compiled pattern of a rule': ['protocols/smtp/src/rules/pattern.ts', 'LARGEST_PROGRAM'],
  'slots for what SMTP clients have sent before': ['protocols/smtp/src/agents/reputation/slot.ts', 'SLOTS'],
  'clients in such a slot': ['protocols/smtp/src/agents/reputation/slot.ts', 'CLIENTS_IN_A_SLOT'],
  'SMTP messages that wait to be counted for their clients': [
    'protocols/smtp/src/agents/reputation/memory.ts',
    'MOST_WAITING',
  ],
  "names of a client's address that are followed": ['protocols/smtp/src/agents/helo/iprev.ts', 'MOST_NAMES'],
  'mailboxes of a header field that are looked at': [
    'protocols/smtp/src/message/header-mailboxes.ts',
    'MOST_MAILBOXES',
  ],
  'answer of rspamd': ['protocols/smtp/src/agents/rspamd/rspamd.ts', 'LARGEST_REPLY'],
  'header fields that rspamd adds to a message': ['protocols/smtp/src/agents/rspamd/reply.ts', 'MOST_FIELDS'],
  'octets of header fields that rspamd adds to a message': ['protocols/smtp/src/agents/rspamd/reply.ts', 'MOST_OCTETS'],
  'parts of a message that are looked at for its contents': ['protocols/smtp/src/content/content.ts', 'MOST_PARTS'],
  'messages within messages that are looked at for its contents': [
    'protocols/smtp/src/content/content.ts',
    'MOST_NESTING',
  ],
  'header sections of all parts that are looked at for its contents': [
    'protocols/smtp/src/content/content.ts',
    'MOST_HEADERS',
  ],
  "text that is looked at for a message's contents": ['protocols/smtp/src/content/content.ts', 'MOST_TEXT'],
  'names of files in zip archives that are looked at in a message': [
    'protocols/smtp/src/content/content.ts',
    'MOST_NAMES',
  ],
  'files written into the texts of a message that are looked at': [
    'protocols/smtp/src/content/content-of.ts',
    'MOST_UUENCODED',
  ],
  'multiparts within multiparts, where a message is changed': ['protocols/smtp/src/content/scan-parts.ts', 'DEEPEST'],
  disclaimer: ['protocols/smtp/src/rules/disclaimer/disclaimer-schema.ts', 'LONGEST'],
  'findings that a message tells of': ['protocols/smtp/src/agents/marks.ts', 'MOST_FINDINGS'],
  'results in an Authentication-Results field': ['protocols/smtp/src/message/trace.ts', 'MOST_RESULTS'],
  "lines of a milter's own reply": ['protocols/smtp/src/agents/milter/answers.ts', 'MOST_LINES'],
  'text into which a disclaimer can be put': ['protocols/smtp/src/rules/disclaimer/change-text.ts', 'LONGEST_TEXT'],
  'answer of clamd': ['protocols/smtp/src/agents/clamav/scan.ts', 'LONGEST_REPLY'],
  'time that a clamd without an answer is asked last': ['protocols/smtp/src/agents/clamav/endpoints.ts', 'AVOIDED'],
  'body in one frame to or from a milter': ['protocols/smtp/src/agents/milter/constants.ts', 'BODY_CHUNK'],
  'answers of a milter to one question': ['protocols/smtp/src/agents/milter/milter-line.ts', 'MOST_ANSWERS'],
  'changes of a header section by a milter': ['protocols/smtp/src/agents/milter/header-plan.ts', 'MOST_CHANGES'],
  'octets of header fields that a milter adds to a message': [
    'protocols/smtp/src/agents/milter/header-plan.ts',
    'MOST_OCTETS',
  ],
  'recipients that a milter adds to a message': ['protocols/smtp/src/agents/milter/changes.ts', 'MOST_RECIPIENTS'],
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
  'STARTTLS of an SMTP backend': ['protocols/smtp/src/backend/driver.ts', 'HANDSHAKE'],
  'addresses whose datagrams are counted': ['packages/net/src/rate-table.ts', 'MOST_ADDRESSES'],
  'octets of datagrams that wait to be sent': ['packages/net/src/datagram-listener.ts', 'MOST_QUEUED'],
  'length of a SIP answer over UDP': ['protocols/sip/src/serve-datagram.ts', 'MOST_FACTOR'],
  'SIP telephone number': ['protocols/sip/src/parse-uri.ts', 'LONGEST_NUMBER'],
  'SIP user that is looked up': ['protocols/sip/src/target.ts', 'LONGEST_LOCAL'],
  'proxies that a session may pass': ['packages/routing/src/router.ts', 'MAX_HOPS'],
  'redirections of a user to another site in a minute': [
    'protocols/http/src/elsewhere/redirect-budget.ts',
    'MOST_REDIRECTS',
  ],
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
