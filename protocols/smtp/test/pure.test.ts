// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { extensionsOf, parseReplyLine, passedOn } from '../src/backend-reply.js'
import { AUTH_FAILURES, formatReply, RECIPIENT_FAILURES, REPLIES, say } from '../src/replies.js'
import { connectorOf, smtpSchema } from '../src/schema.js'
import { protocolOf, receivedField, rfc5322Date } from '../src/trace.js'
import { xclientCommands, xtext } from '../src/xclient.js'

describe('replies (RFC 5321 section 4.2, RFC 2034)', () => {
  test('several lines carry the code and the enhanced code each', () => {
    expect(formatReply({ code: 550, enhanced: '5.1.1', lines: ['one', 'two'] })).toBe(
      '550-5.1.1 one\r\n550 5.1.1 two\r\n',
    )
  })

  test('no text breaks out of its line', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const octets = formatReply(say(250, '2.0.0', text))
        expect(octets.slice(0, -2)).not.toMatch(/[\r\n]/)
        expect(octets.endsWith('\r\n')).toBe(true)
      }),
    )
  })

  test('every fixed reply but those to EHLO and 3xx has an enhanced code of its class', () => {
    for (const reply of [
      ...Object.values(REPLIES),
      ...Object.values(AUTH_FAILURES),
      ...Object.values(RECIPIENT_FAILURES),
    ]) {
      if (reply.code === 354) continue
      expect('enhanced' in reply && reply.enhanced?.charAt(0)).toBe(String(reply.code).charAt(0))
    }
  })

  test('trouble of ours is never told as a wrong password, and never as a permanent failure', () => {
    for (const reason of ['throttled', 'lookup-unavailable', 'backend-unavailable', 'server-bug'] as const) {
      expect(AUTH_FAILURES[reason].code).toBe(454)
      expect(RECIPIENT_FAILURES[reason].code).toBe(451)
    }
  })
})

describe("a backend's replies", () => {
  test.each<[string, string, unknown]>([
    ['a last line', '250 2.1.5 OK', { code: 250, last: true, text: '2.1.5 OK' }],
    ['a line with more to come', '250-mx', { code: 250, last: false, text: 'mx' }],
    ['a code alone', '354', { code: 354, last: true, text: '' }],
    ['no reply', 'hello', undefined],
    ['no such code', '199 x', undefined],
    ['a code glued to its text', '250OK', undefined],
  ])('%s', (_label, line, expected) => {
    expect(parseReplyLine(Buffer.from(line))).toEqual(expected)
  })

  test('are passed on with an enhanced code in each line', () => {
    const reply = { code: 550, lines: ['5.1.1 no such user', 'sorry', '2.0.0 odd'] } as const
    expect(formatReply(passedOn(reply, REPLIES.backendTrouble))).toBe(
      '550-5.1.1 no such user\r\n550-5.0.0 sorry\r\n550 5.0.0 2.0.0 odd\r\n',
    )
  })

  test('421 is about the backend, not about us (RFC 5321 section 3.8)', () => {
    expect(passedOn({ code: 421, lines: ['4.3.2 going down'] }, REPLIES.backendTrouble)).toBe(REPLIES.backendTrouble)
  })

  test('extensions are read in any case, also in the old form with =', () => {
    const offered = extensionsOf(['mx hello', 'size 100', 'AUTH=LOGIN', 'AUTH PLAIN LOGIN', '8BITMIME'])
    expect([...offered]).toEqual([
      ['SIZE', '100'],
      ['AUTH', 'PLAIN LOGIN'],
      ['8BITMIME', ''],
    ])
  })
})

describe('XCLIENT', () => {
  const facts = {
    peer: { address: '2001:db8::7', port: 4711, family: 6 },
    local: { address: '192.0.2.25', port: 587, family: 4 },
    helo: 'pc.example',
    protocol: 'ESMTP',
    login: 'al=ice+x y',
    sessionId: 's1',
  } as const

  test('says only what the backend asks for, xtext-encoded, ADDR last', () => {
    expect(xclientCommands(facts, ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'LOGIN'])).toEqual([
      'XCLIENT NAME=[UNAVAILABLE] PORT=4711 PROTO=ESMTP HELO=pc.example LOGIN=al+3Dice+2Bx+20y ADDR=IPV6:2001:db8::7',
    ])
  })

  test('says nothing when nothing is asked for', () => {
    expect(xclientCommands(facts, [])).toEqual([])
  })

  test('is split at 512 octets, and ADDR is in the last one', () => {
    const commands = xclientCommands({ ...facts, login: '\u00e9'.repeat(70), helo: 'h'.repeat(200) }, [
      'HELO',
      'LOGIN',
      'ADDR',
    ])
    expect(commands.length).toBe(2)
    for (const command of commands) expect(command.length).toBeLessThanOrEqual(510)
    expect(commands[1]).toMatch(/ADDR=IPV6:2001:db8::7$/)
  })

  test('xtext lets nothing through that could end a command', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(xtext(text)).toMatch(/^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/)
      }),
    )
  })
})

describe('the Received field (RFC 5321 section 4.4, RFC 3848)', () => {
  const facts = { extended: true, encrypted: true, authenticated: true, international: false }

  test('tells client, host, protocol, id and date', () => {
    const client = { address: '2001:db8::7', port: 1, family: 6 } as const
    const field = receivedField({ ...facts, client, helo: 'pc.example', hostname: 'mail.example', id: 's1', at: 0 })
    expect(field).toBe(
      'Received: from pc.example ([IPv6:2001:db8::7])\r\n\tby mail.example with ESMTPSA id s1;\r\n\tThu, 01 Jan 1970 00:00:00 +0000\r\n',
    )
  })

  test.each<[string, Partial<typeof facts>]>([
    ['SMTP', { extended: false }],
    ['ESMTP', { encrypted: false, authenticated: false }],
    ['ESMTPS', { authenticated: false }],
    ['ESMTPA', { encrypted: false }],
    ['UTF8SMTPSA', { international: true }],
  ])('with %s', (name, change) => {
    expect(protocolOf({ ...facts, ...change })).toBe(name)
  })

  test('dates have the form of RFC 5322 section 3.3', () => {
    expect(rfc5322Date(Date.UTC(2026, 10, 4, 5, 6, 7))).toBe('Wed, 04 Nov 2026 05:06:07 +0000')
  })
})

describe('connectors', () => {
  const settings = smtpSchema.parse({ connectors: { inbound: { domains: ['Example.ORG'] }, lab: {} } })

  test.each<[string, unknown, number, boolean | undefined]>([
    ['port 25 is inbound', {}, 25, false],
    ['port 587 is for submission', {}, 587, true],
    ['port 465 is for submission', {}, 465, true],
    ['any other port is for submission', {}, 2525, true],
    ['a name counts more than the port', { connector: 'inbound' }, 587, false],
    ['a connector of the site takes nobody by default', { connector: 'lab' }, 25, false],
    ['an unknown name allows nothing', { connector: 'nosuch' }, 587, undefined],
  ])('%s', (_label, options, port, submission) => {
    expect(connectorOf(settings, options, port)?.submission).toBe(submission)
  })

  test('nothing is relayed unless a site says so', () => {
    for (const connector of smtpSchema.parse(undefined).connectors.values())
      expect(connector.submission || connector.domains.length === 0).toBe(true)
  })

  test('domains are compared in lower case', () => {
    expect(settings.connectors.get('inbound')?.domains).toEqual(['example.org'])
  })
})
