// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { parseHeader } from '../../src/message/header-fields.js'
import { classify } from '../../src/telephony/classify.js'
import { firstParts } from '../../src/telephony/first-parts.js'
import type { MessageClass } from '../../src/telephony/message-class.js'

function judge(
  lines: string,
  {
    to = ['alice'],
    partner,
    parts,
  }: { to?: readonly string[]; partner?: MessageClass; parts?: readonly string[] } = {},
): string {
  const fields = parseHeader(Buffer.from(`${lines.replaceAll('\n', '\r\n')}\r\n\r\n`, 'latin1'), 'plain')
  const judged = classify({ partner, fields, recipients: to.map((local) => ({ local })), parts })
  return judged.kind === 'class' ? `${judged.is.messageClass} by ${judged.is.evidence}` : judged.kind
}

const FAX = 'Content-Class: fax\nContent-Type: multipart/mixed; boundary=b'

describe('of which class a message claims to be', () => {
  test.each([
    ['nothing', 'Subject: hello', 'none'],
    ['Content-Class: voice', 'Content-Class: voice', 'voice by content-class'],
    ['… voice-ca', 'content-class:Voice-CA', 'voice by content-class'],
    ['… voice-uc, folded, with a comment', 'CONTENT-CLASS :\n (a comment) voice-uc\n', 'voice by content-class'],
    ['… missedcall', 'Content-Class: missedcall', 'missed-call by content-class'],
    ['… fax-ca', 'Content-Class: fax-ca', 'fax by content-class'],
    ['… of a calendar', 'Content-Class: urn:content-classes:calendarmessage', 'none'],
    ['… fax in one piece', 'Content-Class: fax\nContent-Type: application/pdf', 'none'],
    ['… fax in parts', FAX, 'look'],
    ['Message-Context (RFC 3458)', 'Message-Context: Voice-Message', 'voice by message-context'],
    ['… fax-message', 'message-context: FAX-message', 'fax by message-context'],
    ['… pager-message', 'Message-Context: pager-message', 'pager by message-context'],
    ['… multimedia-message', 'Message-Context: multimedia-message', 'multimedia by message-context'],
    ['… text-message', 'Message-Context: text-message', 'text by message-context'],
    ['… video-message (RFC 3938)', 'Message-Context: video-message', 'video by message-context'],
    ['… none', 'Message-Context: none', 'none'],
    ['… of a time to come', 'Message-Context: hologram-message', 'none'],
    ['VPIM (RFC 3801)', 'MIME-Version: 1.0 (Voice 2.0)\nContent-Type: text/plain', 'voice by vpim'],
    ['… by its type alone', 'Content-Type: Multipart/Voice-Message; Version=2.0; boundary="x"', 'voice by vpim'],
    ['MIME of another kind', 'MIME-Version: 1.0 (Mac OS X)\nContent-Type: multipart/mixed; boundary=x', 'none'],
    ['how long it is', 'X-VoiceMessageDuration: 17', 'voice by fields'],
    ['how many pages it has', 'X-FaxNumberOfPages: 2', 'fax by fields'],
    ['both', 'X-FaxNumberOfPages: 2\nX-VoiceMessageDuration: 17', 'none'],
    ['who called', 'X-CallingTelephoneNumber: 5551234', 'none'],
    ['a value without end', `Content-Class: ${'('.repeat(200_000)}`, 'none'],
  ])('%s', (_, lines, expected) => expect(judge(lines)).toBe(expected))

  test.each([
    ['a fax', ['FAX=+12027653000'], 'fax by recipient'],
    ['a voice mailbox', ['/voice=+3940226338/'], 'voice by recipient'],
    ['a short message to two', ['SMS=+491701234567', 'sms=+491701234568'], 'pager by recipient'],
    ['a fax and a person', ['FAX=+12027653000', 'alice'], 'none'],
    ['a fax and a voice mailbox', ['FAX=+12027653000', 'VOICE=+12027653000'], 'none'],
    ['a telephone of which nobody has heard', ['TELEX=+12027653000'], 'none'],
  ])('by whom it is for: %s', (_, to, expected) => expect(judge('Subject: x', { to })).toBe(expected))

  test('the strongest evidence counts: partner, Content-Class, Message-Context, VPIM, fields, recipient', () => {
    const weaker = [
      'Content-Class: missedcall',
      'Message-Context: pager-message',
      'MIME-Version: 1.0 (Voice 2.0)',
      'X-FaxNumberOfPages: 1',
    ]
    const judged = (from: number) =>
      judge(['Subject: x', ...weaker.slice(from)].join('\n'), { to: ['SMS=+491701234567'] })
    expect(judge(weaker.join('\n'), { partner: 'video' })).toBe('video by partner')
    expect([0, 1, 2, 3, 4].map(judged)).toEqual([
      'missed-call by content-class',
      'pager by message-context',
      'voice by vpim',
      'fax by fields',
      'pager by recipient',
    ])
  })

  test.each([
    ['a page in HTML and one in TIFF', ['text/html', 'image/tiff'], 'fax by content-class'],
    ['the other way round', ['image/tiff', 'text/html'], 'none'],
    ['no TIFF', ['text/html', 'application/pdf'], 'none'],
    ['HTML alone', ['text/html'], 'none'],
    ['nothing', [], 'none'],
  ])('Content-Class: fax with %s', (_, parts, expected) => expect(judge(FAX, { parts })).toBe(expected))

  test('a fax without its TIFF is none, whatever else it says, but it may be something else', () => {
    const parts = ['text/html']
    expect(
      judge(`${FAX}\nMessage-Context: fax-message\nX-FaxNumberOfPages: 2`, { parts, to: ['FAX=+12027653000'] }),
    ).toBe('none')
    expect(judge('Content-Class: fax\nX-FaxNumberOfPages: 2')).toBe('none')
    expect(judge(`${FAX}\nMessage-Context: voice-message`, { parts })).toBe('voice by message-context')
  })
})

describe('the parts at the front of a message (RFC 2046 section 5.1)', () => {
  async function types(text: string) {
    const message = Buffer.from(`Content-Type: multipart/mixed; boundary=b\n${text}`.replaceAll('\n', '\r\n'))
    const parts = await firstParts({ start: async (limit) => message.subarray(0, limit) })
    return parts?.map(({ contentType }) => contentType.value)
  }

  test.each([
    [
      'two',
      '\n--b\nContent-Type: text/html\n\nx\n--b \nContent-Type: image/tiff\n\nx\n--b--\n',
      'text/html image/tiff',
    ],
    ['one without fields', '\n--b\n\nContent-Type: text/html\n\n--b--\n', ''],
    ['one behind the end', '\n--b--\n--b\nContent-Type: text/html\n\nx', undefined],
    ['one of another boundary', '\n--bc\nContent-Type: text/html\n\n--b\nContent-Type: a/b\n\n', 'a/b'],
    [
      'a cover page that goes on behind the front',
      `\n--b\nContent-Type: text/html\n\n${'x'.repeat(200_000)}`,
      'text/html',
    ],
    ['folded', '\n--b\nContent-Type:\n image/tiff\n\n', 'image/tiff'],
    [
      'parts within parts',
      '\n--b\nContent-Type: multipart/related; boundary=c\n\n--c\nContent-Type: text/html\n\n--c--\n--b\nContent-Type: image/tiff\n\n',
      'text/html image/tiff',
    ],
    ['more than are read', '\n--b\nContent-Type: a/b\n\n'.repeat(20), 'a/b '.repeat(8).trim()],
  ])('%s', async (_, text, expected) =>
    expect(await types(text)).toEqual(expected === undefined ? [] : expected.split(' ')),
  )

  test('that cannot be read are unknown', async () => {
    expect(await firstParts({ start: async () => undefined })).toBeUndefined()
  })
})
