// SPDX-License-Identifier: MIT
import { must, plain } from '../engine.mjs'
import { FakeLeg } from '../fake-leg.mjs'
import { BACKEND } from './stage.mjs'

const ADDRESS_WORDS = [
  '<',
  '>',
  '@',
  '.',
  '"',
  '\\',
  ':',
  ',',
  '[',
  ']',
  ' ',
  'a',
  'example',
  '-',
  '_',
  '\xc3\xa9',
  '\xff',
  '\0',
  '<>',
  '%',
  '=',
  '+',
]

export async function smtpTargets(load) {
  const { NEVER } = await load('packages/base', 'cancellation')
  const { converse } = await load('packages/net', 'converse')
  const { parseCommand } = await load('protocols/smtp', 'parse')
  const { parsePath } = await load('protocols/smtp', 'address')
  const { DataScanner } = await load('protocols/smtp', 'message/data-scanner')
  const { extensionsOf, passedOn } = await load('protocols/smtp', 'backend/reply')
  const { readReply } = await load('protocols/smtp', 'backend/answer')
  const { smtpDrivers } = await load('protocols/smtp', 'backend/driver')
  const { smtpSchema } = await load('protocols/smtp', 'schema')
  const { formatReply } = await load('protocols/smtp', 'replies')

  const [driver] = smtpDrivers(smtpSchema.parse({ helo: 'x.example' }))

  return [
    {
      name: 'smtp-command',
      streams: true,
      words: [
        ...ADDRESS_WORDS,
        'EHLO ',
        'MAIL FROM:',
        'RCPT TO:',
        'AUTH ',
        'DATA',
        'SIZE=',
        ' BODY=8BITMIME',
        '\r\n',
        '\n',
        '\r',
        '\t',
        'GET / HTTP/1.1',
      ],
      examples: [
        'EHLO pc\r\nMAIL FROM:<a@b.example> SIZE=1 BODY=8BITMIME\r\nRCPT TO:<"x y"@b.example>\r\nDATA\r\n',
        'AUTH PLAIN =\r\n',
      ],
      async run(_bytes, pieces) {
        const conversation = converse(new FakeLeg(pieces))
        const seen = []
        while (seen.length < 200) {
          const line = await conversation.readLine(16_384, NEVER)
          if (line.kind !== 'line' && line.kind !== 'too-long') break
          seen.push(line.kind === 'line' ? [line.bareLf, parseCommand(line.bytes.toString('latin1'))] : line.kind)
        }
        return seen
      },
    },
    {
      name: 'smtp-address',
      words: ADDRESS_WORDS,
      examples: [
        '<a.b@example.org> SIZE=1',
        '<@one.example,@two.example:"a\\"b"@[IPv6:2001:db8::1]>',
        '<postmaster>',
        '<>',
      ],
      run: async (bytes) => parsePath(bytes.toString('latin1')),
      check(path) {
        if (path.kind !== 'mailbox') return
        const { mailbox } = path
        must(!/[\x00-\x1f\x7f]/.test(mailbox.text), 'a control character passed')
        const again = parsePath(`<${mailbox.text}>`)
        must(plain(again) === plain({ ...path, rest: '' }), 'written and read again it is another mailbox')
      },
    },
    {
      name: 'smtp-data',
      streams: true,
      words: ['\r\n', '.', '\r\n.\r\n', '\n.\n', '\r.\r', '\n', '\r', '\0', 'text', 'Received: x', '..'],
      examples: ['Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n', '.\r\n', 'a\r\n.\rQUIT\r\n.\r\n'],
      async run(_bytes, pieces) {
        const scanner = new DataScanner()
        let passed = ''
        let taken = 0
        for (const piece of pieces) {
          if (scanner.ended) break
          const scanned = scanner.feed(piece)
          passed += scanned.held + piece.toString('latin1', 0, scanned.upTo)
          taken += scanned.taken
        }
        return { passed, taken, ended: scanner.ended, faulty: scanner.faulty, nul: scanner.hasNul, size: scanner.size }
      },
      check({ passed, ended, faulty }) {
        must(!/\0|\r(?!\n)(?!$)|(?<!\r)\n/.test(passed), 'a bare line end or NUL went on')
        must(!/(?:^|\r\n)\.\r\n/.test(passed), 'a terminator went on')
        must(!ended || faulty || /(?:^|\r\n)$/.test(passed), 'the message ended within a line')
      },
    },
    {
      name: 'smtp-backend',
      streams: true,
      words: [
        '220 ',
        '220-',
        '250 ',
        '250-',
        '235 2.7.0 ok',
        '421 ',
        '535 5.7.8 no',
        '334',
        '\r\n',
        '\n',
        '\r',
        ' ',
        '-',
        'STARTTLS',
        'AUTH PLAIN',
        'XCLIENT NAME ADDR',
        '\0',
        '\xff',
        '5.1.1 ',
      ],
      examples: [
        '220 hi\r\n250-mx\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 1\r\n550-5.1.1 no\r\n550 user\r\n',
        '220 a\r\n502 no\r\n',
      ],
      async run(_bytes, pieces) {
        const leg = new FakeLeg(pieces)
        const prepared = await driver.prepare(leg, BACKEND, NEVER)
        if (prepared.kind !== 'ready') return prepared
        const answer = await readReply(converse(leg), NEVER)
        if (answer.kind !== 'reply') return { prepared, answer }
        const told = formatReply(passedOn(answer.reply, { code: 451, lines: ['4.3.0 later'] }))
        return { prepared, answer, told, extensions: extensionsOf(answer.reply.lines) }
      },
      check({ told }) {
        must(
          told === undefined || /^(?:\d{3}-[^\r\n]*\r\n)*\d{3} [^\r\n]*\r\n$/.test(told),
          `no reply: ${JSON.stringify(told)}`,
        )
      },
    },
  ]
}
