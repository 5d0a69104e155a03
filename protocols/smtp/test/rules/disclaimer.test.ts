// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { NEVER } from '@portico/base'
import fc from 'fast-check'
import { simpleParser } from 'mailparser'
import { afterAll, describe, expect, test } from 'vitest'
import { Spool } from '../../src/message/spool.js'
import { SpoolBudget } from '../../src/message/spool-budget.js'
import { disclaimable, makeDisclaimers } from '../../src/rules/disclaimer/disclaimer.js'
import { disclaimerSchema } from '../../src/rules/disclaimer/disclaimer-schema.js'
import { prepared, rewritten } from '../../src/transaction/rewrite.js'
import { messageOf, octetsOf } from '../content/support.js'

const SETTINGS = { html: '<p>Grüße &amp; <b>all</b></p>' }
type Given = Partial<Parameters<typeof disclaimerSchema.parse>[0] & object> & Record<string, unknown>

/** The message as it goes out; undefined where it is put off. */
async function outgoing(
  message: Buffer,
  settings: Given | readonly Given[] = {},
  step?: number,
): Promise<Buffer | undefined> {
  const all = Array.isArray(settings) ? settings : [settings]
  const disclaimer = makeDisclaimers(all.map((one) => disclaimerSchema.parse({ ...SETTINGS, ...one })))
  const end = message.indexOf('\r\n\r\n')
  const section = message.subarray(0, message.indexOf('\r\n') === 0 ? 2 : end === -1 ? message.length : end + 4)
  const spools: Spool[] = []
  const create = () => {
    const spool = new Spool({ budget: new SpoolBudget(), maxSize: 2 ** 30 })
    spools.push(spool)
    return spool
  }
  const given = prepared([section], messageOf(message, step), section.length)
  try {
    const made = await rewritten(given, [disclaimer], create, NEVER)
    if (made === undefined) return undefined
    const pieces: Uint8Array[] = []
    await made.message.read((piece) => pieces.push(piece) > 0)
    return Buffer.concat(pieces)
  } finally {
    for (const spool of spools) await spool[Symbol.asyncDispose]()
  }
}

async function changed(
  message: readonly string[] | string,
  settings: Given | readonly Given[] = {},
  step?: number,
): Promise<string> {
  const octets = await outgoing(octetsOf(message), settings, step)
  return octets?.toString('latin1') ?? 'put off'
}

const body = (message: string) => message.slice(message.indexOf('\r\n\r\n') + 4)

describe('one text', () => {
  test('plain text becomes UTF-8 that goes everywhere', async () => {
    const message = await changed(
      'Subject: x\nContent-Type: text/plain; charset=iso-8859-1; format=flowed\nContent-Transfer-Encoding: 8bit\nX-Kept: yes\n\nh\xe9 and a line that is longer\n',
    )
    expect(message).toBe(
      octetsOf(
        'MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8; format=flowed\nContent-Transfer-Encoding: quoted-printable\n' +
          'Subject: x\nX-Kept: yes\n\nh=C3=A9 and a line that is longer\n\nGr=C3=BC=C3=9Fe & all\n',
      ).toString('latin1'),
    )
  })

  const texts: readonly (readonly [label: string, message: string, settings: Given, text: string])[] = [
    ['above', 'Subject: x\n\nhello\n', { location: 'prepend', text: 'first\n' }, 'first\n\nhello\n'],
    ['its own plain text', 'Subject: x\n\nhello\n', { text: 'all\nof it' }, 'hello\n\nall\nof it\n'],
    ['below no text at all', 'Subject: x\n\n', { text: 'all' }, 'all\n'],
    ['a message that is all header', 'Subject: x\n', { text: 'all' }, 'all\n'],
    ['base64', 'Content-Transfer-Encoding: BASE64\n\naGVsbG8=\n', { text: 'all' }, 'hello\n\nall\n'],
    [
      'quoted-printable',
      'Content-Transfer-Encoding: quoted-printable (so)\n\nhel=  \nlo=20\n',
      { text: 'all' },
      'hello \n\nall\n',
    ],
    [
      'octets above 127 at the end of a quoted-printable line',
      'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nvoil\xc3\xa0  \nso=',
      { text: 'all' },
      'voilà\nso\n\nall\n',
    ],
    [
      'base64 that a list has put its own behind',
      'Content-Transfer-Encoding: base64\n\naGVsbG8=\nLS0tIQo=\n',
      { text: 'all' },
      'hello---!\n\nall\n',
    ],
    [
      'flowed lines that do not go on',
      'Content-Type: text/plain; format=flowed\n\nhello\n',
      { text: 'one \n>two\nFrom me' },
      'hello\n\none\n >two\n From me\n',
    ],
  ]
  test.each(texts)('plain: %s', async (_label, message, settings, text) => {
    const octets = await outgoing(octetsOf(message), settings)
    const [read] = await python(octets ?? Buffer.alloc(0))
    expect(read?.text).toBe(text)
  })

  test('a text that is not of its character set stays as it is', async () => {
    const message = octetsOf('Content-Type: text/plain; charset=utf-8\n\nvoil\xc3\xa0 h\xe9\n')
    const octets = await outgoing(message, { fallback: 'ignore' })
    expect(octets?.toString('latin1')).toBe(message.toString('latin1'))
  })

  test('no line of a decoded text becomes a delimiter', async () => {
    const inner = 'x\n--m\nContent-Type: application/x; name=evil.exe\n\nMZ\n'
    const hidden = `${'y'.repeat(75)}--m`
    const message = mixed([
      '--m',
      'Content-Transfer-Encoding: base64',
      '',
      Buffer.from(`${inner}${hidden}\n`).toString('base64'),
    ])
    const octets = await outgoing(octetsOf(message), { text: 'all' })
    const parts = (await python(octets ?? Buffer.alloc(0))).filter(({ type }) => !type.startsWith('multipart/'))
    expect(parts.map(({ type, text }) => [type, text])).toEqual([['text/plain', `${inner}${hidden}\n\nall\n`]])
  })

  const documents: readonly (readonly [
    label: string,
    html: string,
    location: 'append' | 'prepend',
    expected: string,
  ])[] = [
    ['the end of the body', '<html><body><p>x</p></BODY ></html>', 'append', '<html><body><p>x</p>D</BODY ></html>'],
    ['the end of the document', '<html><p>x</html>', 'append', '<html><p>x'.concat('D</html>')],
    ['the end', '<p>x', 'append', '<p>xD'],
    ['no end in a comment', '<body>x</body><!-- </body> -->', 'append', '<body>xD</body><!-- </body> -->'],
    ['the start of the body', '<head></head><body class="a">x', 'prepend', '<head></head><body class="a">Dx'],
    ['behind the head', '<html><head></head>x', 'prepend', '<html><head></head>Dx'],
    ['the start', 'x', 'prepend', 'Dx'],
    ['no body that never ends', 'x<body a', 'prepend', 'Dx<body a'],
  ]
  test.each(documents)('HTML: %s', async (_label, html, location, expected) => {
    const message = await changed(`Content-Type: text/html\n\n${html}`, { location, html: 'D' })
    expect(body(message)).toBe(expected.replace(/=/g, '=3D'))
  })
})

/** One of each shape: texts change, all else stays. */
const SHAPES: readonly (readonly [label: string, message: readonly string[], changedParts: readonly string[]])[] = [
  ['multipart/alternative', alternative('a'), ['text/plain', 'text/html']],
  ['multipart/mixed', mixed(['--m', '', 'text'], attachment()), ['text/plain']],
  ['multipart/mixed with HTML', mixed(['--m', 'Content-Type: text/html', '', '<p>x'], attachment()), ['text/html']],
  ['an alternative in a mixed one', mixed(['--m', ...alternative('a')], attachment()), ['text/plain', 'text/html']],
  [
    'an alternative of plain text and a related one',
    mixed(
      [
        '--m',
        ...multipart(
          'alternative',
          'a',
          ['--a', '', 'plain'],
          [
            '--a',
            ...multipart(
              'related',
              'r',
              ['--r', 'Content-Type: text/html', '', '<img src="cid:i">'],
              [
                '--r',
                'Content-Type: image/png',
                'Content-ID: <i>',
                'Content-Transfer-Encoding: base64',
                '',
                'iVBORw0KGgo=',
              ],
            ),
          ],
        ),
      ],
      attachment(),
    ),
    ['text/plain', 'text/html'],
  ],
  ['only the first of two texts', mixed(['--m', '', 'first'], ['--m', '', 'second']), ['text/plain']],
  [
    'an attached text is none',
    mixed(['--m', 'Content-Disposition: attachment', '', 'file'], ['--m', '', 'text']),
    ['text/plain'],
  ],
  [
    'a text with a name is none',
    mixed(['--m', 'Content-Type: text/plain; name=x.txt', '', 'file'], ['--m', '', 'text']),
    ['text/plain'],
  ],
  [
    'a text of a message within it is none',
    mixed(['--m', 'Content-Type: message/rfc822', '', 'Subject: i', '', 'inner'], ['--m', '', 'text']),
    ['text/plain'],
  ],
  [
    'texts without a line',
    multipart('alternative', 'a', ['--a', 'Content-Type: text/html', ''], ['--a', 'Content-Type: text/plain', '']),
    ['text/html', 'text/plain'],
  ],
  [
    'an invitation beside its text',
    multipart(
      'alternative',
      'a',
      ['--a', '', 'come'],
      ['--a', 'Content-Type: text/calendar; method=REQUEST', '', 'BEGIN:VCALENDAR'],
    ),
    ['text/plain'],
  ],
]

function multipart(kind: string, boundary: string, ...parts: readonly (readonly string[])[]): readonly string[] {
  return [
    'MIME-Version: 1.0',
    `Content-Type: multipart/${kind}; boundary="${boundary}"`,
    '',
    'preamble',
    ...parts.flat(),
    `--${boundary}--`,
    'epilogue',
    '',
  ]
}
function mixed(...parts: readonly (readonly string[])[]): readonly string[] {
  return multipart('mixed', 'm', ...parts)
}
function alternative(boundary: string): readonly string[] {
  return multipart(
    'alternative',
    boundary,
    [`--${boundary}`, 'Content-Type: text/plain; charset=us-ascii', 'X-Kept: yes', '', 'plain'],
    [
      `--${boundary}`,
      'Content-Type: text/html; charset=windows-1252',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      '<p>h=E9</p>',
    ],
  )
}
function attachment(): readonly string[] {
  return [
    '--m',
    'Content-Type: application/octet-stream',
    'Content-Disposition: attachment; filename=a.bin',
    'Content-Transfer-Encoding: base64',
    '',
    'AAECAw==',
    '',
  ]
}

interface ReadPart {
  readonly type: string
  readonly text?: string
  readonly raw: string
}

const PROGRAM = `
import base64, email, email.policy, json, sys
def parts(m):
    if m.is_multipart() and m.get_content_maintype() == 'multipart':
        return [p for s in m.iter_parts() for p in parts(s)]
    text = {'text': m.get_content().replace('\\r\\n', '\\n')} if m.get_content_maintype() == 'text' else {}
    return [{'type': m.get_content_type(), 'raw': m.as_bytes(policy=email.policy.SMTP).decode('latin1'), **text}]
for line in sys.stdin:
    m = email.message_from_bytes(base64.b64decode(line), policy=email.policy.default)
    print(json.dumps(parts(m)), flush=True)
`
/** It takes a message a line and gives what it has read in a line. */
const reader = spawn('python3', ['-c', PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] })
const answers = createInterface(reader.stdout)[Symbol.asyncIterator]()
afterAll(() => void reader.stdin.end())

/** The parts that Python's email package finds. */
async function python(message: Buffer): Promise<readonly ReadPart[]> {
  reader.stdin.write(`${message.toString('base64')}\n`)
  return JSON.parse((await answers.next()).value ?? 'null')
}

describe('texts among other parts, as Python and mailparser read them', () => {
  test.each(SHAPES)('%s', async (_label, message, types) => {
    const before = octetsOf(message)
    const after = (await outgoing(before, { html: '<i>HTML-WORDS</i>', text: 'PLAIN-WORDS' })) ?? Buffer.alloc(0)
    const [old, made] = [await python(before), await python(after)]
    expect(made.map(({ type }) => type)).toEqual(old.map(({ type }) => type))
    const differing = made.filter(({ raw }, at) => raw !== old[at]?.raw)
    expect(differing.map(({ type }) => type)).toEqual(types)
    for (const [at, part] of made.entries()) {
      if (!differing.includes(part)) continue
      const word = part.type === 'text/html' ? 'HTML-WORDS' : 'PLAIN-WORDS'
      expect(part.text).toContain(word)
      expect(part.text?.startsWith((old[at]?.text ?? '').replace(/\n$/, ''))).toBe(true)
    }
    const [read, was] = [await simpleParser(after), await simpleParser(before)]
    expect(`${read.text}${read.html}`).toMatch(/(PLAIN|HTML)-WORDS/)
    expect(read.attachments.map(({ checksum }) => checksum)).toEqual(was.attachments.map(({ checksum }) => checksum))
  })

  test('octets in front of, between and behind the texts are those that came', async () => {
    const message = octetsOf(mixed(['--m', ...alternative('a')], attachment())).toString('latin1')
    for (const step of [1, 7, 100_000]) {
      const made = await changed(message, {}, step)
      for (const kept of [
        'preamble',
        '--a\r\n',
        'X-Kept: yes\r\n',
        '\r\n--a--\r\nepilogue',
        message.slice(message.indexOf('--a--')),
      ])
        expect(made).toContain(kept)
      expect(made.slice(0, made.indexOf('--a\r\n'))).toBe(message.slice(0, message.indexOf('--a\r\n')))
    }
  })
})

const UNCHANGEABLE: readonly (readonly [label: string, message: readonly string[]])[] = [
  [
    'signed',
    multipart('signed', 's', ['--s', '', 'text'], ['--s', 'Content-Type: application/pgp-signature', '', 'x']),
  ],
  [
    'signed within a list’s own',
    mixed(['--m', ...multipart('signed', 's', ['--s', '', 'text'])], ['--m', '', 'footer']),
  ],
  [
    'encrypted',
    multipart(
      'encrypted',
      'e',
      ['--e', 'Content-Type: application/pgp-encrypted', '', 'Version: 1'],
      ['--e', 'Content-Type: application/octet-stream', '', 'x'],
    ),
  ],
  ['S/MIME', ['Content-Type: application/pkcs7-mime; smime-type=enveloped-data', '', 'x']],
  ['an invitation alone', ['Content-Type: text/calendar', '', 'BEGIN:VCALENDAR']],
  ['a picture alone', ['Content-Type: image/png', '', 'x']],
  ['a character set that nobody knows', ['Content-Type: text/plain; charset=x-unheard-of', '', 'x']],
  ['a transfer encoding that nobody knows', ['Content-Transfer-Encoding: x-uuencode', '', 'x']],
  ['a text of more than is held', ['Subject: x', '', 'y'.repeat(2 ** 20 + 1)]],
  [
    'multiparts within multiparts',
    Array.from({ length: 60 }, (_, at) => [
      ...(at === 0 ? [] : [`--b${at - 1}`]),
      `Content-Type: multipart/mixed; boundary=b${at}`,
      '',
    ]).flat(),
  ],
]

describe('messages that nobody can change', () => {
  test.each(UNCHANGEABLE)('%s', async (_label, message) => {
    const before = octetsOf(message)
    const plain = octetsOf('Subject: x\n\ny')
    expect(await disclaimable(messageOf(before))).toBe(false)
    expect(await disclaimable(messageOf(plain))).toBe(true)
    expect(await outgoing(before, { fallback: 'ignore' })).toEqual(before)
    expect(await outgoing(before, { fallback: 'reject' })).toBeUndefined()
    const wrapped = (await outgoing(before, { text: 'WORDS' })) ?? Buffer.alloc(0)
    const at = wrapped.indexOf(before)
    expect(at).toBeGreaterThan(0)
    const read = await simpleParser(wrapped)
    expect(read.text).toContain('WORDS')
    expect(read.attachments.map(({ contentType }) => contentType)).toEqual(['message/rfc822'])
    expect((await python(wrapped)).map(({ type }) => type)).toEqual(['text/plain', 'text/html', 'message/rfc822'])
  })

  test('a new message is about what the old one was, and all of that is in it', async () => {
    const before = [
      'From: a@b.test',
      'Subject: =?utf-8?q?x?=',
      'DKIM-Signature: v=1',
      'MIME-Version: 1.0',
      'Content-Type: application/pkcs7-mime',
      'Content-Description: old',
      '',
      'x',
      '',
    ]
    const made = await changed(before)
    const header = made.slice(0, made.indexOf('\r\n\r\n'))
    expect(header).toMatch(
      /^MIME-Version: 1\.0\r\nContent-Type: multipart\/mixed; boundary="[^"]+"\r\nFrom: a@b\.test\r\nSubject: [^\r]*$/,
    )
    expect(made).toContain(octetsOf(before).toString('latin1'))
  })

  test('octets beyond ASCII, and what is no text at all, are told', async () => {
    const eight = await changed(['Content-Type: image/png', '', '\x89PNG', ''])
    expect(eight).toMatch(/^MIME[\s\S]*\r\nContent-Transfer-Encoding: 8bit\r\n/)
    expect(eight).toContain('Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n')
    const binary = (await outgoing(Buffer.from('Content-Type: image/png\r\n\r\n\0\n', 'latin1')))?.toString('latin1')
    expect(binary).toContain('Content-Transfer-Encoding: binary\r\n')
    expect(await changed(['Subject: \xc3\xbc', 'Content-Type: image/png', '', 'x'])).toContain(
      'Content-Type: message/global\r\n',
    )
  })
})

test('whatever a text is, Python reads it again, and the disclaimer below it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }), { minLength: 20 }),
      async (texts) => {
        const plain = texts.map((text) => text.replace(/\r\n?|[\x85\u2028\u2029\x0b\x0c\x1c-\x1e\ufeff]/g, '\n'))
        const made: string[] = []
        for (const text of plain) {
          const coded = Buffer.from(text).toString('base64')
          const message = `Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n${coded}\n`
          const octets = await outgoing(octetsOf(message), { text: 'WORDS' })
          made.push(`--all\r\n${octets?.toString('latin1')}`)
        }
        const all = `Content-Type: multipart/mixed; boundary=all\r\n\r\n${made.join('\r\n')}\r\n--all--\r\n`
        const read = await python(Buffer.from(all, 'latin1'))
        expect(read.map(({ text }) => text)).toEqual(
          plain.map((text) => `${text.endsWith('\n') ? text : `${text}\n`}\nWORDS\n`),
        )
      },
    ),
    { numRuns: 5 },
  )
}, 120_000)

test('whatever a message is, no line of the new one is longer than those that came, and it ends', async () => {
  const line = fc.constantFrom(
    '--b',
    '--b--',
    '--c',
    'Content-Type: multipart/mixed; boundary=b',
    'Content-Type: multipart/alternative; boundary=c',
    'Content-Type: text/html',
    'Content-Transfer-Encoding: base64',
    '',
    '',
    'text',
    ' x',
    'a: b',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 30 }), fc.integer({ min: 1, max: 50 }), async (lines, step) => {
      const message = octetsOf([...lines, ''])
      const whole = await outgoing(message, { fallback: 'ignore' })
      expect(await outgoing(message, { fallback: 'ignore' }, step)).toEqual(whole)
      expect(whole?.length).toBeGreaterThanOrEqual(message.length > 0 ? 1 : 0)
    }),
  )
})
