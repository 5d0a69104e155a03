// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import type { AgentSession } from '../../src/agents/agent.js'
import { Marks } from '../../src/agents/marks.js'
import { editHeader, parseHeader } from '../../src/message/header-fields.js'
import type { SpooledMessage } from '../../src/message/spool.js'
import { telephony } from '../../src/telephony/telephony.js'
import { listeningLog, made, recipient, stage } from '../agents/support.js'

const PARTNER: Partial<AgentSession> = { connector: 'partner', tellsOfCalls: true }

function message(text: string): SpooledMessage & { readonly looks: readonly number[] } {
  const octets = Buffer.from(text, 'latin1')
  const looks: number[] = []
  return {
    looks,
    size: octets.length,
    read: async () => 'failed',
    start: async (limit) => {
      looks.push(limit)
      return octets.subarray(0, limit)
    },
  }
}

/** What becomes of a message's header section, or the reply; and the classes that rules may ask for. */
async function judged(text: string, session: Partial<AgentSession> = PARTNER, written: object = {}) {
  const octets = text.replaceAll('\n', '\r\n')
  const kept = message(octets)
  const log = listeningLog()
  const { run } = stage([made(telephony, written, { log })], session)
  const section = Buffer.from(octets.slice(0, octets.indexOf('\r\n\r\n') + 4), 'latin1')
  const fields = parseHeader(section, 'plain')
  const envelope = { sender: undefined, recipients: [recipient('alice@test.lan')] }
  await run.ask('mail', { sender: undefined, parameters: new Map() })
  const facts = { envelope, fields, notes: new Marks() }
  const verdicts = [await run.ask('headers', facts)]
  const keeps = run.needsBody()
  if (verdicts[0]?.kind === 'go' && keeps) verdicts.push(await run.ask('dataEnd', { ...facts, message: kept }))
  const edits = verdicts.flatMap((verdict) => (verdict.kind === 'go' ? verdict.edits : []))
  const refusal = verdicts.find((verdict) => verdict.kind === 'refuse')
  const header = Buffer.concat(editHeader(section, fields, edits, 'plain')).toString('latin1')
  return {
    header: header.replaceAll('\r\n', '\n').trimEnd().split('\n'),
    types: [...run.notes.types],
    reply: refusal?.kind === 'refuse' ? refusal.reply.lines[0] : undefined,
    keeps,
    looks: kept.looks.length,
    lines: log.lines,
  }
}

describe('what a partner says', () => {
  test.each([
    ['Content-Class: voice-ca', 'voice; evidence=content-class', 'voice-message', 'voice'],
    ['Content-Class: fax-ca', 'fax; evidence=content-class', 'fax-message', 'fax'],
    ['MIME-Version: 1.0 (Voice 2.0)', 'voice; evidence=vpim', 'voice-message', 'voice'],
    ['X-FaxNumberOfPages: 2', 'fax; evidence=fields', 'fax-message', 'fax'],
  ])('%s is marked, for mail programs and for rules', async (field, mark, context, type) => {
    const { header, types } = await judged(`${field}\n\nx`)
    expect(header).toEqual([`X-Portico-Message-Class: ${mark}`, `Message-Context: ${context}`, field])
    expect(types).toEqual([type])
  })

  test('Message-Context stays as it is, and a mark of another server goes', async () => {
    const { header } = await judged('Message-Context: FAX-message\nx-PORTICO-message-CLASS : voice\n\nx')
    expect(header).toEqual(['X-Portico-Message-Class: fax; evidence=message-context', 'Message-Context: FAX-message'])
  })

  test('a missed call has no Message-Context of its own', async () => {
    const { header } = await judged('Content-Class: missedcall\n\nx')
    expect(header).toEqual([
      'X-Portico-Message-Class: missed-call; evidence=content-class',
      'Content-Class: missedcall',
    ])
  })

  test('an ordinary message is not touched, and not looked into', async () => {
    const { header, types, looks } = await judged('Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b--')
    expect(header).toEqual(['Subject: x', 'Content-Type: multipart/mixed; boundary=b'])
    expect([types, looks]).toEqual([[], 0])
  })

  test('a class of its connector is certain', async () => {
    const { header } = await judged('Subject: x\n\nx', PARTNER, { partners: { partner: 'fax' } })
    expect(header[0]).toBe('X-Portico-Message-Class: fax; evidence=partner')
  })

  test('only the first parts tell whether Content-Class: fax is right', async () => {
    const fax = (type: string) =>
      `Content-Class: fax\nContent-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/html\n\nx\n--b\nContent-Type: ${type}\n\nx\n--b--\n`
    const right = await judged(fax('image/tiff'))
    expect(right.header[0]).toBe('X-Portico-Message-Class: fax; evidence=content-class')
    expect([right.types, right.looks]).toEqual([['fax'], 1])
    const wrong = await judged(fax('application/pdf'))
    expect(wrong.header[0]).toBe('Content-Class: fax')
    expect(wrong.types).toEqual([])
  })
})

describe('how much a partner may send', () => {
  const limits = { voice: { maxSize: '1KiB', maxDuration: '1m' }, fax: { maxSize: '1KiB', maxPages: 3 } }
  const part = (seconds: number) =>
    `Content-Type: multipart/voice-message; boundary=b\n\n--b\nContent-Type: audio/32kadpcm\nContent-Duration: ${seconds}\n\nx\n--b--`

  test.each([
    ['a short voice message', 'X-VoiceMessageDuration: 60\n\nx', undefined],
    ['a long one', 'X-VoiceMessageDuration: 61\n\nx', 'Voice message too long'],
    ['a long one that says so otherwise', 'Content-Class: voice\nContent-Duration: 61\n\nx', 'Voice message too long'],
    ['one whose part is short', part(60), undefined],
    ['one whose part is long', part(61), 'Voice message too long'],
    ['a big one', `Content-Class: voice\n\n${'x'.repeat(1_024)}`, 'Voice message too big'],
    ['a fax of three pages', 'X-FaxNumberOfPages: 3\n\nx', undefined],
    ['a fax of four', 'X-FaxNumberOfPages: 4\n\nx', 'Fax has too many pages'],
    ['a big one of one page', `X-FaxNumberOfPages: 1\n\n${'x'.repeat(1_024)}`, 'Fax too big'],
    ['another message', `X-FaxNumberOfPages: 9\nX-VoiceMessageDuration: 99\n\n${'x'.repeat(2_048)}`, undefined],
  ])('%s', async (_, text, expected) => expect((await judged(text, PARTNER, { limits })).reply).toBe(expected))

  test('what is too much may be marked instead', async () => {
    const { reply, types } = await judged('X-FaxNumberOfPages: 4\n\nx', PARTNER, { limits, action: 'tag' })
    expect([reply, types]).toEqual([undefined, ['fax']])
  })
})

describe('what anybody else says', () => {
  const spoof = 'Content-Class: voice\nX-CallingTelephoneNumber: 1\nMessage-Context: voice-message\nSubject: x\n\nx'

  test.each([
    ['a stranger', {}],
    ['a user', { user: 'bob', connector: 'client' }],
    ['a stranger at a partner’s connector', { connector: 'partner' }],
  ])('%s is not believed: the fields are renamed, nothing is marked, nothing is kept here', async (_, session) => {
    const { header, types, keeps, lines } = await judged(spoof, session, { partners: { partner: 'fax' } })
    expect(header).toEqual([
      'X-Untrusted-Content-Class: voice',
      'X-Untrusted-X-CallingTelephoneNumber: 1',
      'Message-Context: voice-message',
      'Subject: x',
    ])
    expect([types, keeps]).toEqual([[], false])
    expect(lines).toMatchObject([
      {
        message: 'a claim to tell of a call is not believed',
        fields: ['Content-Class', 'X-CallingTelephoneNumber'],
        class: 'voice',
        evidence: 'content-class',
      },
    ])
  })

  test('advice that anybody may give is left alone', async () => {
    const text = 'Message-Context: fax-message\nMIME-Version: 1.0 (Voice 2.0)\n\nx'
    const { header, types, lines } = await judged(text, {})
    expect(header).toEqual(['Message-Context: fax-message', 'MIME-Version: 1.0 (Voice 2.0)'])
    expect([types, lines]).toEqual([[], []])
  })
})
