// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { contents } from './support.js'

const PART = ['--b', 'Content-Type: application/octet-stream']
const mixed = (...lines: readonly string[]) => [
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=b',
  '',
  ...lines,
  '--b--',
  '',
]

describe('texts of a message', () => {
  const texts: readonly (readonly [label: string, message: readonly string[], text: string])[] = [
    ['without MIME', ['Subject: x', '', 'hello', 'you'], 'hello\nyou'],
    [
      'quoted-printable Latin-1',
      [
        'Content-Type: text/plain; charset=iso-8859-1',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'h=E9 ho=',
        '!',
      ],
      'hé ho!',
    ],
    [
      'base64 UTF-8',
      [
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: base64',
        '',
        Buffer.from('Grüße').toString('base64'),
      ],
      'Grüße',
    ],
    ['ISO-2022-JP', ['Content-Type: text/plain; charset=iso-2022-jp', '', '\x1b$B$3$s\x1b(B'], 'こん'],
    [
      'a character set that nobody knows',
      ['Content-Type: text/plain; charset=x-unheard-of', '', 'plain \xc3\xa9'],
      'plain é',
    ],
    [
      'HTML',
      [
        'Content-Type: text/html',
        '',
        '<style>p{}</style><p>Cli<b>ck</b> h&eacute;re &amp; win<br>now<!-- not this -->',
      ],
      'Click hére & win\nnow',
    ],
    [
      'HTML with elements that nobody knows',
      ['Content-Type: text/html', '', 'c<x>as</x><o:p>in</o:p><blink>o<td>now<li>here'],
      'casino now\nhere',
    ],
    [
      'HTML whose head ends without saying so',
      ['Content-Type: text/html', '', '<html><head><title>not this</title><meta name=x><p>win money'],
      'win money',
    ],
    [
      'HTML with comments that end at once',
      ['Content-Type: text/html', '', '<!-->win<!--->&nbsp;<!-- not this --!>money<!-- nor --> now'],
      'win money now',
    ],
    ['format=flowed', ['Content-Type: text/plain; format=flowed', '', 'one ', 'two', '-- ', 'me'], 'one two\n-- \nme'],
    [
      'plain text and HTML',
      mixed('--b', '', 'plain', '--b', 'Content-Type: text/html', '', '<i>rich</i>'),
      'plain\nrich',
    ],
    ['one that has a name', mixed('--b', 'Content-Type: text/plain; name=note.txt', '', 'win money'), 'win money'],
    [
      'an attached one is none',
      mixed('--b', 'Content-Disposition: attachment', '', 'attached', '--b', '', 'shown'),
      'shown',
    ],
    [
      'a multipart that holds no parts',
      ['Content-Type: multipart/mixed; boundary=nowhere', '', 'win money'],
      'win money',
    ],
    ['what stands in front of parts is none', mixed('no MIME here?', '--b', '', 'shown'), 'shown'],
    [
      'one of a message within it is none',
      mixed('--b', 'Content-Type: message/rfc822', '', 'Subject: x', '', 'within', '--b', '', 'shown'),
      'shown',
    ],
  ]
  test.each(texts)('%s', async (_label, message, text) => {
    expect((await contents(message)).text.trimEnd()).toBe(text)
  })
})

describe('names of attachments', () => {
  const names: readonly (readonly [label: string, fields: readonly string[], names: readonly string[]])[] = [
    ['RFC 2183', ['Content-Disposition: attachment; filename="a b.PDF"'], ['a b.PDF']],
    ['Content-Type alone', ['Content-Type: image/png; name=x.png'], ['x.png']],
    ['RFC 2231', ["Content-Disposition: attachment; filename*=utf-8'de'%C3%BCber.zip"], ['über.zip']],
    [
      'RFC 2231 in pieces',
      ["Content-Disposition: attachment; filename*0*=iso-8859-1''%FCb; filename*1=er.; filename*2*=%7aip"],
      ['über.zip'],
    ],
    [
      'RFC 2047 where nobody may use it',
      ['Content-Disposition: attachment; filename="=?utf-8?q?inv?= =?utf-8?b?b2ljZS5leGU=?="'],
      ['invoice.exe'],
    ],
    ['raw UTF-8', ['Content-Disposition: attachment; filename="\xc3\xbc.exe"'], ['ü.exe']],
    [
      'two fields that do not agree',
      ['Content-Type: text/plain; name=evil.exe', 'Content-Disposition: attachment; filename=nice.txt'],
      ['nice.txt', 'evil.exe'],
    ],
    [
      'twice in one field',
      ['Content-Disposition: attachment; filename=nice.txt; filename=evil.exe'],
      ['nice.txt', 'evil.exe'],
    ],
    ['folders', ['Content-Disposition: attachment; filename="C:\\\\Temp\\\\evil.exe"'], ['evil.exe']],
    [
      'dots and spaces that Windows does not see',
      ['Content-Disposition: attachment; filename="evil.exe. ."'],
      ['evil.exe'],
    ],
    [
      'a sign that turns the text around',
      ["Content-Disposition: attachment; filename*=utf-8''inv%E2%80%AExcod.exe"],
      ['invxcod.exe'],
    ],
    [
      'comments and folding',
      ['Content-Disposition: attachment (really;); filename', ' =(here)"evil.exe"'],
      ['evil.exe'],
    ],
    ['a disposition of its own', ['Content-Disposition: form-data; filename=x.exe'], ['x.exe']],
    ['without a name', ['Content-Type: application/octet-stream'], ['']],
    ['TNEF', ['Content-Type: application/ms-tnef'], ['winmail.dat']],
  ]
  test.each(names)('%s', async (_label, fields, expected) => {
    const { attachments } = await contents(mixed('--b', ...fields, '', 'x'))
    expect(attachments.map(({ name }) => name)).toEqual(expected)
  })
})

describe('attachments', () => {
  test('size, type, Content-ID', async () => {
    const { attachments } = await contents(
      mixed('--b', 'Content-Type: Image/GIF', 'Content-ID: <a@b>', 'Content-Transfer-Encoding: base64', '', 'R0lGODlh'),
    )
    expect(attachments).toEqual([
      {
        name: '',
        extension: '',
        size: 6,
        type: 'image/gif',
        contentId: 'a@b',
        executable: false,
        passwordProtected: false,
        archived: [],
      },
    ])
  })

  test('files that are written into plain text', async () => {
    const { attachments, text } = await contents([
      'Subject: x',
      '',
      'see',
      'begin 644 run.exe',
      '#0V%T',
      '`',
      'end',
      'begin anew',
    ])
    expect(attachments).toMatchObject([{ name: 'run.exe', extension: 'exe', size: 0 }])
    expect(text).toContain('begin 644 run.exe')
  })

  const programs: readonly (readonly [label: string, octets: string, executable: boolean])[] = [
    ['Windows', 'MZ\x90\0', true],
    ['Linux', '\x7fELF\x02', true],
    ['macOS', '\xcf\xfa\xed\xfe', true],
    ['Java', '\xca\xfe\xba\xbe', true],
    ['script', '#!/bin/sh\n', true],
    ['shortcut', 'L\0\0\0\x01\x14\x02\0', true],
    ['picture', '\x89PNG', false],
    ['nothing', '', false],
  ]
  test.each(programs)('a program whatever it is called: %s', async (_label, octets, executable) => {
    const { attachments } = await contents(
      mixed(
        '--b',
        'Content-Type: image/jpeg; name=cat.jpg',
        'Content-Transfer-Encoding: base64',
        '',
        Buffer.from(octets, 'latin1').toString('base64'),
      ),
    )
    expect(attachments[0]?.executable).toBe(executable)
  })

  test('those of messages within it, however these are transferred', async () => {
    const inner = [
      'Content-Type: multipart/mixed; boundary=i',
      '',
      '--i',
      'Content-Type: text/plain; name=evil.exe',
      '',
      'MZ',
      '--i--',
      '',
    ]
    const plain = await contents(mixed('--b', 'Content-Type: message/rfc822', '', ...inner))
    const coded = await contents(
      mixed(
        '--b',
        'Content-Type: message/rfc822; name=fwd.eml',
        'Content-Transfer-Encoding: base64',
        '',
        Buffer.from(inner.join('\r\n')).toString('base64'),
      ),
    )
    expect(plain.attachments.map(({ name, type }) => [name, type])).toEqual([
      ['evil.exe', 'text/plain'],
      ['', 'message/rfc822'],
    ])
    expect(coded.attachments.map(({ name, executable }) => [name, executable])).toEqual([
      ['evil.exe', true],
      ['fwd.eml', false],
    ])
  })

  test.each([1, 3, 76, 5_000])('octets that come by %i give the same', async (step) => {
    const message = mixed(
      '--b',
      'Content-Type: text/html; charset=utf-8',
      '',
      '<p>gr\xc3\xbc\xc3\x9fe</p>',
      ...PART,
      'Content-Disposition: attachment; filename=a.bin',
      '',
      'MZ1',
    )
    const content = await contents(message, step)
    expect(content.text).toBe('grüße')
    expect(content.attachments).toMatchObject([{ name: 'a.bin', size: 3, executable: true }])
  })
})

describe('zip archives of a real program', () => {
  /** Made by Python; `encrypt`: sets the bit that says so, in both places. */
  const zip = (names: readonly string[], encrypt: boolean) =>
    execFileSync('python3', ['-c', ZIP, ...(encrypt ? ['1'] : ['0']), ...names], { timeout: 60_000 })
  const ZIP = `
import io, sys, zipfile
out = io.BytesIO()
with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
    for name in sys.argv[2:]: z.writestr(name, name * 5000)
data = bytearray(out.getvalue())
if sys.argv[1] == '1':
    at = data.find(b'PK\\1\\2'); data[at + 8] |= 1; data[6] |= 1
sys.stdout.buffer.write(data)
`
  const attached = async (octets: Buffer, step?: number) => {
    const body = octets.toString('base64').replace(/.{76}/g, '$&\n')
    const { attachments } = await contents(
      mixed('--b', 'Content-Type: application/zip; name=a.zip', 'Content-Transfer-Encoding: base64', '', body),
      step,
    )
    return attachments[0]
  }

  test.each([undefined, 7, 100])('names of files in it', async (step) => {
    const names = ['docs/readme.txt', 'docs/über.exe', 'x'.repeat(300)]
    expect(await attached(zip(names, false), step)).toMatchObject({ archived: names, passwordProtected: false })
  })

  test('one in which a file is encrypted', async () => {
    expect(await attached(zip(['a.exe', 'b'], true))).toMatchObject({
      archived: ['a.exe', 'b'],
      passwordProtected: true,
    })
  })

  test('one that is cut off', async () => {
    const whole = zip(['a.exe', 'b'], false)
    expect(await attached(whole.subarray(0, 40))).toMatchObject({ archived: ['a.exe'] })
    expect(await attached(whole.subarray(0, 20))).toMatchObject({ archived: [] })
  })
})
