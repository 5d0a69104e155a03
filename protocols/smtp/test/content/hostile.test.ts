// SPDX-License-Identifier: MIT
import { CancellationSource } from '@portico/base'
import { describe, expect, test } from 'vitest'
import { DEFAULT_CONTENT_LIMITS } from '../../src/content/content.js'
import { contentOf } from '../../src/content/content-of.js'
import { decodeTransfer } from '../../src/content/transfer.js'
import { fieldsOf, messageOf, octetsOf, read } from './support.js'

const MIB = 1024 ** 2
const of = (text: string) => octetsOf(text)
const nested = (depth: number) =>
  Array.from({ length: depth }, (_, at) => `Content-Type: multipart/mixed; boundary=b${at}\n\n--b${at}\n`).join('')
const forwards = (depth: number) => 'Content-Type: message/rfc822\n\n'.repeat(depth)
const html = (text: string) => of(`Content-Type: text/html\n\n${text}`)

/** What nobody sends who means well: `why` says what is read of it, or why it is not. */
const HOSTILE: readonly (readonly [label: string, message: () => Buffer, why: RegExp | 'content'])[] = [
  ['10,000 nested parts', () => of(nested(10_000)), /parts|nodes|header/],
  [
    '100,000 parts',
    () => of(`Content-Type: multipart/mixed; boundary=b\n\n${'--b\n\nx\n'.repeat(100_000)}`),
    /parts|nodes/,
  ],
  ['100 messages within messages', () => of(forwards(100)), /messages within messages/],
  [
    'a boundary that never comes',
    () => of(`Content-Type: multipart/mixed; boundary=b\n\n${'x'.repeat(8 * MIB)}`),
    'content',
  ],
  [
    'a boundary that almost comes',
    () => of(`Content-Type: multipart/mixed; boundary=${'b'.repeat(70)}\n\n${`--${'b'.repeat(69)}\n`.repeat(50_000)}`),
    'content',
  ],
  ['one line without end', () => of(`Subject: x\n\n${'y'.repeat(8 * MIB)}`), 'content'],
  [
    'a part header without end',
    () => of(`Content-Type: multipart/mixed; boundary=b\n\n--b\nX: ${'y'.repeat(MIB)}`),
    /header/,
  ],
  [
    '100,000 fields of a part',
    () => of(`Content-Type: multipart/mixed; boundary=b\n\n--b\n${'a:b\n'.repeat(100_000)}\n`),
    /header/,
  ],
  [
    'parameters without end',
    () => of(`Content-Type: multipart/mixed; ${'a*0*=b; '.repeat(20_000)}boundary=b\n\n--b--\n`),
    /parameters/,
  ],
  ['a comment without end', () => of(`Content-Type: text/plain ${'('.repeat(100_000)}\n\nx`), 'content'],
  [
    'quotes without end',
    () => of(`Content-Disposition: attachment; filename="${'\\"'.repeat(60_000)}\n\nx`),
    'content',
  ],
  [
    'encoded words without end',
    () => of(`Content-Disposition: attachment; filename="${'=?utf-8?q?'.repeat(20_000)}"\n\nx`),
    'content',
  ],
  ['addresses without end', () => of(`To: ${'<a@'.repeat(60_000)}\nFrom: ${'"('.repeat(20_000)}\n\nx`), 'content'],
  ['base64 that is none', () => of(`Content-Transfer-Encoding: base64\n\n${'=!\0\xff'.repeat(MIB)}`), 'content'],
  [
    'quoted-printable that is none',
    () => of(`Content-Transfer-Encoding: quoted-printable\n\n${'=X=\x80'.repeat(MIB)}`),
    'content',
  ],
  ['100,000 tags in each other', () => html('<b>'.repeat(300_000)), 'content'],
  ['100,000 tags that never end', () => html('<a href="'.repeat(100_000)), 'content'],
  ['comments that never end', () => html('<!--'.repeat(250_000)), 'content'],
  ['scripts that never end', () => html('<script>'.repeat(120_000)), 'content'],
  ['ends of styles that never end', () => html(`<style>${'</style'.repeat(149_000)}`), 'content'],
  ['comments that end at once', () => html('<!-->'.repeat(200_000)), 'content'],
  ['white space and nothing else', () => html(`a${' '.repeat(MIB)}`), 'content'],
  ['lines of white space', () => html(' <br>\t\n'.repeat(150_000)), 'content'],
  ['ampersands', () => html('&'.repeat(MIB)), 'content'],
  ['20 MiB of text', () => of(`Subject: x\n\n${'win money now\n'.repeat(1_500_000)}`), 'content'],
  ['signs of zip archives', () => of(`Content-Type: application/zip\n\n${'PK\x03\x04'.repeat(2 * MIB)}`), 'content'],
  [
    'a zip archive of a million names',
    () =>
      of(`Content-Type: application/zip\n\n${`PK\x01\x02${'\0'.repeat(24)}\x02${'\0'.repeat(17)}ab`.repeat(100_000)}`),
    'content',
  ],
  [
    'headers of a zip archive within headers',
    () => of(`Content-Type: application/zip\n\n${`PK\x03\x04${'\0'.repeat(22)}\0\x04\0\x10`.repeat(700_000)}`),
    /names/,
  ],
  [
    'names within names in a file of Outlook',
    () => of(`Content-Type: x/x\n\nx\x9f>"${'\x1f\0\x077\x01\0\0\0\xff\x03\0\0'.repeat(2_000_000)}`),
    /names/,
  ],
  ['nothing', () => of(''), 'content'],
  ['a NUL in every place', () => Buffer.alloc(MIB), /header/],
]

describe('messages that mean harm are read to an end, and little of them is kept', () => {
  test.each(HOSTILE)(
    '%s',
    async (_label, message, why) => {
      const content = await read(message())
      if (content.kind === 'unreadable') expect(content.why).toMatch(why)
      else {
        expect(why).toBe('content')
        expect(content.text.length).toBeLessThanOrEqual(DEFAULT_CONTENT_LIMITS.text)
        expect(content.attachments.length).toBeLessThanOrEqual(1_000)
        expect(content.attachments.flatMap(({ archived }) => archived).length).toBeLessThanOrEqual(
          DEFAULT_CONTENT_LIMITS.archiveNames,
        )
      }
    },
    120_000,
  )
})

test('a text beyond its limit is cut, and it says so', async () => {
  const content = await read(`Subject: x\n\n${'a'.repeat(100)}\xc3\xa9`, { text: 101 })
  expect(content).toMatchObject({ kind: 'content', text: `${'a'.repeat(100)}\ufffd`, truncated: true })
})

test('nothing waits for a message any more once its signal has said so', async () => {
  const signal = new CancellationSource()
  const octets = of(`Subject: x\n\n${'y\n'.repeat(5 * MIB)}`)
  const message = messageOf(octets)
  const reading = contentOf(
    {
      ...message,
      read: (take) =>
        message.read((piece) => {
          signal.abort('deadline')
          return take(piece)
        }),
    },
    fieldsOf(octets),
    DEFAULT_CONTENT_LIMITS,
    signal,
  )
  expect(await reading).toEqual({ kind: 'unreadable', why: 'nobody waits for it any more', ours: true })
  expect(signal.onAbort).toBeUndefined()
})

test('a disk that fails makes a message unreadable', async () => {
  const octets = of('Subject: x\n\ny')
  const message = { ...messageOf(octets), read: async () => 'failed' as const }
  const content = await contentOf(message, fieldsOf(octets), DEFAULT_CONTENT_LIMITS, new CancellationSource())
  expect(content).toEqual({ kind: 'unreadable', why: 'the disk failed', ours: true })
})

test('an encoding in comments without end is none that anybody knows', () => {
  expect(decodeTransfer(of('x'), '('.repeat(1_000_000))).toBeUndefined()
  expect(decodeTransfer(of('eA=='), 'base64 (of three octets)')).toEqual(of('x'))
}, 60_000)

test.each([
  ['two media types', 'Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=b', /media types/],
  ['the same, one for lenient readers alone', 'Content-Type\xa0: text/plain\nContent-Type: text/html', /media types/],
  ['two boundaries', 'Content-Type: multipart/mixed; boundary=a; boundary=b', /boundaries/],
  ['two transfer encodings', 'Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64', /encodings/],
  [
    'a name behind more parameters than are read',
    `Content-Disposition: attachment${'; a=b'.repeat(201)}; filename=x.exe`,
    /parameters/,
  ],
])('a part that readers do not agree on cannot be read: %s', async (_label, fields, why) => {
  expect(await read(`${fields}\n\nx`)).toMatchObject({ kind: 'unreadable', why: expect.stringMatching(why) })
  const within = `Content-Type: multipart/mixed; boundary=o\n\n--o\n${fields}\n\nx\n--o--\n`
  expect(await read(within)).toMatchObject({ kind: 'unreadable', why: expect.stringMatching(why) })
})

test('what is said twice and is the same hides nothing', async () => {
  const type = 'Content-Type: multipart/mixed; boundary=b; boundary=b'
  const content = await read(`${type}\n${type}\n\n--b\nContent-Type: text/plain; name=a.txt\n\nx\n--b--\n`)
  expect(content).toMatchObject({ kind: 'content', attachments: [{ name: 'a.txt' }] })
})
