// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { CancellationSource, NEVER } from '@portico/base'
import { simpleParser } from 'mailparser'
import { describe, expect, test } from 'vitest'
import type { Opinion, Pass } from '../../src/agents/agent.js'
import { attachmentFilter } from '../../src/agents/attachment-filter/attachment-filter.js'
import type { SpooledMessage } from '../../src/message/spool.js'
import { Spool } from '../../src/message/spool.js'
import { SpoolBudget } from '../../src/message/spool-budget.js'
import { prepared, rewritten } from '../../src/transaction/rewrite.js'
import { fieldsOf, messageOf, octetsOf } from '../content/support.js'
import { made, recipient, SESSION } from './support.js'

const NOTES = { scl: undefined, results: [], types: new Set<string>(), findings: [] }

async function ask(
  octets: Buffer,
  written: object = {},
  message: SpooledMessage = messageOf(octets),
): Promise<Opinion> {
  const handlers = made(attachmentFilter, written).open(SESSION)
  const envelope = { sender: recipient('a@b.test'), recipients: [recipient('c@test.lan')] }
  const facts = { envelope, fields: fieldsOf(octets), notes: NOTES, message }
  return (await handlers?.dataEnd?.(facts, new CancellationSource())) ?? { kind: 'pass' }
}

function zip(...names: readonly string[]): string {
  const program = `
import base64, io, struct, sys, zipfile, zlib
out = io.BytesIO()
with zipfile.ZipFile(out, 'w') as z:
    for name in sys.argv[1:]:
        if name in ('-n', '-e'):
            for n in range(12000): z.writestr('%d.%s' % (n, n if name == '-e' else 'txt'), '')
            continue
        name, _, other = name.partition('=')
        info = zipfile.ZipInfo(name)
        if other: info.extra = struct.pack('<HHBL', 0x7075, 5 + len(other), 1, zlib.crc32(name.encode())) + other.encode()
        z.writestr(info, 'x')
print(base64.b64encode(out.getvalue()).decode())
`
  return execFileSync('python3', ['-c', program, ...names], { encoding: 'utf8', timeout: 60_000, maxBuffer: 2 ** 24 })
}

function mail(name: string, content: string, type = 'application/octet-stream', encoding = '7bit'): Buffer {
  return octetsOf([
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    '',
    'text',
    '--b',
    `Content-Type: ${type}`,
    `Content-Disposition: attachment; filename="${name}"`,
    `Content-Transfer-Encoding: ${encoding}`,
    '',
    content,
    '--b',
    'Content-Type: image/png; name=kept.png',
    '',
    'kept',
    '--b--',
    '',
  ])
}

/** A file in Outlook's own format with attributes by their numbers (MS-OXTNEF). */
function tnef(...attributes: readonly (readonly [id: number, content: Buffer])[]): string {
  const records = attributes.map(([id, content]) => {
    const head = Buffer.alloc(9, 2)
    head.writeUInt32LE(id, 1)
    head.writeUInt32LE(content.length, 5)
    const sum = Buffer.alloc(2)
    sum.writeUInt16LE(content.reduce((all, octet) => all + octet, 0) & 0xffff)
    return Buffer.concat([head, content, sum])
  })
  return Buffer.concat([Buffer.from('789f3e220100', 'hex'), ...records])
    .toString('base64')
    .replace(/.{60}/g, '$&\n')
}
const [TITLE, DATA, PROPERTIES] = [0x00018010, 0x0006800f, 0x00069005]
/** One property: the long name, in UTF-16. */
function longName(name: string): Buffer {
  const text = Buffer.from(`${name}\0`, 'utf16le')
  const head = Buffer.from('010000001f00073701000000', 'hex')
  const size = Buffer.alloc(4)
  size.writeUInt32LE(text.length)
  return Buffer.concat([head, size, text, Buffer.alloc((4 - (text.length % 4)) % 4)])
}

const FOUND: readonly (readonly [
  label: string,
  message: () => Buffer,
  settings: object,
  reason: string | undefined,
])[] = [
  ['a program by its name', () => mail('setup.EXE', 'x'), {}, '"setup.EXE" has a name that is not accepted'],
  [
    'the last extension counts',
    () => mail('invoice.pdf.js', 'x'),
    {},
    '"invoice.pdf.js" has a name that is not accepted',
  ],
  ['a program by its octets', () => mail('cat.jpg', 'TVqQAAM=', 'image/jpeg', 'base64'), {}, '"cat.jpg" is a program'],
  ['octets do not count where the site says so', () => mail('cat.jpg', 'MZ'), { executables: false }, undefined],
  [
    'extensions of the site',
    () => mail('x.docm', 'x'),
    { extensions: ['DOCM'] },
    '"x.docm" has a name that is not accepted',
  ],
  [
    'names of the site',
    () => mail('Rechnung-12.zip', 'x'),
    { names: ['rechnung-*.ZIP'] },
    '"Rechnung-12.zip" has a name that is not accepted',
  ],
  ['media types', () => mail('x', 'x', 'Video/MP4'), { types: ['video/*'] }, '"x" is of type "video/mp4"'],
  [
    'a program in an archive',
    () => mail('a.zip', zip('docs/a.txt', 'docs/run.exe'), 'application/zip', 'base64'),
    {},
    '"a.zip" is an archive with "run.exe" in it',
  ],
  [
    'a name as it ends at NUL',
    () => mail('x"; filename*=utf-8\'\'run.exe%00.txt; x="', 'x'),
    {},
    '"run.exe" has a name that is not accepted',
  ],
  ['a stream of a file', () => mail('run.exe::$DATA', 'x'), {}, '"run.exe" has a name that is not accepted'],
  [
    'a name in an archive as Windows writes it',
    () => mail('a.zip', zip('run.exe. .', 'a.txt'), 'application/zip', 'base64'),
    {},
    '"a.zip" is an archive with "run.exe" in it',
  ],
  [
    'a name in an archive that stands behind another one',
    () => mail('a.zip', zip('run.txt=run.exe'), 'application/zip', 'base64'),
    {},
    '"a.zip" is an archive with "run.exe" in it',
  ],
  [
    'a name behind more of them than are kept',
    () => mail('a.zip', zip('-n', 'run.exe'), 'application/zip', 'base64'),
    {},
    '"a.zip" is an archive with "run.exe" in it',
  ],
  [
    'more extensions than are kept',
    () => mail('a.zip', zip('-e', 'run.exe'), 'application/zip', 'base64'),
    {},
    'it has files with more, or longer, names than are read',
  ],
  [
    'a name that is too long to be read',
    () => mail('a.zip', zip(`${'./'.repeat(600)}run.exe`), 'application/zip', 'base64'),
    {},
    'it has files with more, or longer, names than are read',
  ],
  [
    'archives stay shut where the site says so',
    () => mail('a.zip', zip('run.exe'), 'application/zip', 'base64'),
    { archives: false },
    undefined,
  ],
  [
    'an archive with a password',
    () => mail('a.zip', zip('a.txt').replace(/^UEsDBBQAAAA/, 'UEsDBBQAAQA'), 'application/zip', 'base64'),
    { passwordProtected: true },
    '"a.zip" is an archive with a password',
  ],
  [
    'what is in a message within it',
    () =>
      mail('fwd.eml', mail('evil.exe', 'x').toString().replaceAll('--b', '--c').replace('=b', '=c'), 'message/rfc822'),
    {},
    '"evil.exe" has a name that is not accepted',
  ],
  [
    'a file in a text behind more of it than is kept',
    () => octetsOf(`Subject: x\n\n${'hello\n'.repeat(200_000)}begin 644 run.exe\n#35J0\n`),
    {},
    '"run.exe" has a name that is not accepted',
  ],
  [
    'a file in the text of a message within it',
    () => octetsOf('Content-Type: message/rfc822\n\nSubject: x\n\nbegin 644 run.exe\n#35J0\n'),
    {},
    '"run.exe" has a name that is not accepted',
  ],
  [
    'no file in the middle of a long line',
    () => octetsOf(`Subject: x\n\n${'x'.repeat(200_000)}begin 644 run.exe\n`),
    {},
    undefined,
  ],
  [
    'more files in a text than are kept',
    () => octetsOf(`Subject: x\n\n${Array.from({ length: 200 }, (_, n) => `begin 644 ${n}\n`).join('')}`),
    {},
    'it has files with more, or longer, names than are read',
  ],
  [
    'a program whose encoding stands in quotes',
    () => mail('cat.jpg', 'TVqQAAM=', 'image/jpeg', '"base64"'),
    {},
    '"cat.jpg" is a program',
  ],
  ['a program whose encoding ends oddly', () => mail('a', 'TVqQAAM=', 'image/jpeg', 'BASE64;'), {}, '"a" is a program'],
  [
    'an encoding from before MIME',
    () => mail('cat.jpg', 'begin 644 x\n#35J0', 'image/jpeg', 'x-uuencode'),
    {},
    'a part has a transfer encoding that few readers know',
  ],
  [
    'a name in a file of Outlook',
    () =>
      mail(
        'winmail.dat',
        tnef([TITLE, Buffer.from('run.exe\0')], [DATA, Buffer.from('x')]),
        'application/ms-tnef',
        'base64',
      ),
    {},
    '"winmail.dat" is an archive with "run.exe" in it',
  ],
  [
    'its long name',
    () =>
      mail(
        'winmail.dat',
        tnef([TITLE, Buffer.from('RUN~1.TXT\0')], [DATA, Buffer.alloc(9_000)], [PROPERTIES, longName('run.exe')]),
        'application/ms-tnef',
        'base64',
      ),
    {},
    '"winmail.dat" is an archive with "run.exe" in it',
  ],
  [
    'a program in it',
    () =>
      mail(
        'winmail.dat',
        tnef([TITLE, Buffer.from('a.jpg\0')], [DATA, Buffer.from('MZ')]),
        'application/ms-tnef',
        'base64',
      ),
    {},
    '"winmail.dat" is a program',
  ],
  [
    'no such name in a file of another format',
    () => mail('a.bin', `AAAA${tnef([TITLE, Buffer.from('run.exe\0')])}`, 'application/ms-tnef', 'base64'),
    {},
    undefined,
  ],
  ['nothing', () => mail('letter.pdf', 'x'), {}, undefined],
  ['a message without attachments', () => octetsOf('Subject: x\n\nsee setup.exe'), {}, undefined],
  [
    'more parts than are looked at',
    () => octetsOf(`Content-Type: multipart/mixed; boundary=b\n\n${'--b\n\nx\n'.repeat(600)}`),
    {},
    'Max allowed child nodes exceeded',
  ],
  [
    'more parts, where the site lets them pass',
    () => octetsOf(`Content-Type: multipart/mixed; boundary=b\n\n${'--b\n\nx\n'.repeat(600)}`),
    { unreadable: 'pass' },
    undefined,
  ],
]

test.each(FOUND)('%s', async (_label, message, settings, reason) => {
  const opinion = await ask(message(), settings)
  if (reason === undefined) expect(opinion).toEqual({ kind: 'pass' })
  else expect(opinion).toMatchObject({ kind: 'against', reply: { code: 550, enhanced: '5.7.1' }, reason })
})

test('a disk that fails is no finding: what holds then is the agent’s `whenAway`', async () => {
  const octets = mail('a.pdf', 'x')
  await expect(ask(octets, {}, { ...messageOf(octets), read: async () => 'failed' })).rejects.toThrow('the disk failed')
})

describe('a note instead of the attachment', () => {
  async function stripped(octets: Buffer, settings: object = {}): Promise<Buffer | undefined> {
    const { rewrite } = (await ask(octets, { strip: true, ...settings })) as Pass
    if (rewrite === undefined) throw new Error('nothing was found')
    const section = octets.subarray(0, octets.indexOf('\r\n\r\n') + 4)
    const spool = new Spool({ budget: new SpoolBudget(), maxSize: 2 ** 30 })
    const given = prepared([section], messageOf(octets, 50), section.length)
    const result = await rewritten(given, [rewrite], () => spool, NEVER)
    const pieces: Uint8Array[] = []
    await result?.message.read((piece) => pieces.push(piece) > 0)
    await spool[Symbol.asyncDispose]()
    return result && Buffer.concat(pieces)
  }

  test('all else stays octet for octet', async () => {
    const octets = mail('run.exe', 'x')
    const after = (await stripped(octets))?.toString('latin1') ?? ''
    const note = `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nAn attachment has been removed from this message: "run.exe" has a name that=\r\n is not accepted.\r\n`
    const [before, behind] = octets.toString('latin1').split(/Content-Type: application[\s\S]*?x(?=\r\n--b)/)
    expect(after).toBe(`${before}${note}${behind}`)
    const { attachments, text } = await simpleParser(after)
    expect(attachments.map(({ filename }) => filename)).toEqual(['kept.png'])
    expect(text).toContain('An attachment has been removed')
  })

  test('a message within it goes as a whole', async () => {
    const inner = mail('evil.exe', 'x').toString().replaceAll('--b', '--c').replace('=b', '=c')
    const { attachments } = await simpleParser((await stripped(mail('fwd.eml', inner, 'message/rfc822'))) ?? '')
    expect(attachments.map(({ filename }) => filename)).toEqual(['kept.png'])
  })

  test('a message that is nothing but the attachment', async () => {
    const octets = octetsOf(
      'Subject: x\nContent-Type: application/x-msdownload; name=a.exe\nContent-Description: d\n\nMZ\n',
    )
    expect((await stripped(octets))?.toString()).toBe(
      octetsOf(
        'MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\nSubject: x\n\nAn attachment has been removed from this message: "a.exe" is a program.\n',
      ).toString(),
    )
  })

  test('where it cannot be found again, the message is put off', async () => {
    const deep = Array.from({ length: 55 }, (_, at) => [
      ...(at === 0 ? [] : [`--b${at - 1}`]),
      `Content-Type: multipart/mixed; boundary=b${at}`,
      '',
    ]).flat()
    expect(
      await stripped(octetsOf([...deep, '--b54', 'Content-Type: image/png; name=a.exe', '', 'x', ''])),
    ).toBeUndefined()
  })
})
