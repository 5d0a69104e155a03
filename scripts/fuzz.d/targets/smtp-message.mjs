// SPDX-License-Identifier: MIT
import { must } from '../engine.mjs'

const LINES = ['\r\n', '\n', '\r', '.', '..', '\0', '\t', ' ', 'text', '\xff', '\r\n.\r\n', 'x'.repeat(70)]
const FIELDS = [
  ...[
    '\r\n',
    '\r\n ',
    '\r\n\t',
    '\r\n\r\n',
    '\n',
    '\r',
    '\0',
    ':',
    ' :',
    ': ',
    '.',
    'a',
    '\xff',
    ';',
    '"',
    '\\',
    '(',
    ')',
  ],
  ...['Received', 'Subject', 'Authentication-Results', 'X-MS-Exchange-Organization-', 'X-Portico-', 'mail.example'],
]
const POLICY = { organization: true, forest: true, own: true, routing: true, forgedResultsOf: 'mail.example' }
const BARE = /\0|\r(?!\n)|(?<!\r)\n/

/** What looks into a message or changes it on its way. */
export async function smtpMessageTargets(load) {
  const { ChunkScanner } = await load('protocols/smtp', 'message/chunk-scanner')
  const { DotStuffer, DotUnstuffer } = await load('protocols/smtp', 'message/dot-stuffing')
  const { HeaderSection } = await load('protocols/smtp', 'message/header-section')
  const { editHeader, hopsOf, parseHeader } = await load('protocols/smtp', 'message/header-fields')
  const { headerFirewall } = await load('protocols/smtp', 'message/header-firewall')
  const { authenticationResultsField, receivedField } = await load('protocols/smtp', 'message/trace')
  const firewall = headerFirewall(POLICY)

  return [
    {
      name: 'smtp-chunks',
      streams: true,
      words: LINES,
      examples: ['Subject: x\r\n\r\n.\r\nbody\r\n', 'a\r', '\nb', 'a\r\r\n'],
      async run(_bytes, pieces) {
        const scanner = new ChunkScanner()
        for (const piece of pieces) scanner.feed(piece)
        const { faulty, hasNul, endsWithCr, endsWithCrlf, size } = scanner
        return { faulty: faulty || endsWithCr, hasNul, endsWithCrlf, size }
      },
      check({ faulty, endsWithCrlf, size }, bytes) {
        const text = bytes.toString('latin1')
        must(faulty === BARE.test(text), 'a bare line end or NUL is one, and nothing else')
        must(endsWithCrlf === (!faulty && /(?:^|\r\n)$/.test(text)), 'whole lines are whole lines')
        must(size === bytes.length, 'octets were not counted')
      },
    },
    {
      name: 'smtp-dots',
      streams: true,
      words: LINES,
      examples: ['.\r\n..\r\na.b\r\n', 'no end', '', '\r\n.\r\n'.repeat(20)],
      async run(_bytes, pieces) {
        const [stuffer, unstuffer] = [new DotStuffer(), new DotUnstuffer()]
        const [out, back] = [[], []]
        for (const piece of pieces) stuffer.stuff(piece, (part) => out.push(Buffer.from(part, 'latin1')))
        const end = stuffer.end()
        const data = Buffer.concat([...out, Buffer.from(end.slice(0, -3))])
        unstuffer.unstuff(data, (part) => back.push(part))
        return { data: data.toString('latin1'), back: Buffer.concat(back).toString('latin1') }
      },
      check({ data, back }, bytes) {
        const text = bytes.toString('latin1')
        must(!/(?:^|\n)\.\r?(?:\n|$)/.test(data), 'a lenient reader finds an end in the midst')
        must(back === text || back === `${text}\r\n`, 'taken back it is another message')
      },
    },
    {
      name: 'smtp-header',
      streams: true,
      words: FIELDS,
      examples: [
        'Received: a\r\n b\r\nSubject : x\r\n\r\nbody',
        'Authentication-Results: (a (b) \\)) "mail.example" 1; spf=pass\r\n\r\n',
        ' x\r\n.X-MS-Exchange-Organization-SCL: 1\r\n\r\n',
        '\r\nbody',
      ],
      async run(_bytes, pieces) {
        const section = new HeaderSection(64 * 1024)
        let rest = 0
        for (const piece of pieces) rest += piece.length - section.take(piece, piece.length)
        const octets = Buffer.from(section.finish())
        return { section: octets.toString('latin1'), rest, complete: section.complete, tooBig: section.tooBig }
      },
      check({ section, rest, complete, tooBig }, bytes) {
        const text = bytes.toString('latin1')
        must(tooBig || (text.startsWith(section) && section.length + rest === text.length), 'octets are lost')
        must(!complete || /^\r\n$|\r\n\r\n$/.test(section), 'it ended without an empty line')
        for (const form of ['plain', 'data']) checkFields(Buffer.from(section, 'latin1'), form)
      },
    },
    {
      name: 'smtp-trace',
      words: [...FIELDS, 'TLS_AES_128_GCM_SHA256', 'a@example', '<', '>', '[', ']', '\x7f'],
      examples: ['pc.example', 'a"b@example', '\xc3\xa9@example'],
      async run(bytes) {
        const text = bytes.toString('latin1')
        const client = { address: text, port: 1, family: 4 }
        const names = { helo: text, hostname: text, id: text, cipher: text, recipient: text, client, at: 0 }
        const facts = { ...names, extended: true, encrypted: true, authenticated: true, international: true }
        const properties = [
          ['smtp.auth', text],
          [text, 'x'],
        ]
        // Its words are ours, and short.
        const odd = { method: text.slice(0, 60), result: text.slice(0, 60), properties }
        const results = [{ method: 'auth', result: 'pass', comment: text, properties }, odd]
        return receivedField(facts) + authenticationResultsField(facts, results)
      },
      check(fields) {
        const parsed = parseHeader(Buffer.from(fields, 'latin1'), 'plain')
        const names = parsed.list.map(({ name }) => name).join()
        must(!parsed.faulty && names === 'received,authentication-results', `other fields: ${names}`)
        must(!/[^\r\n]{998}/.test(fields), 'a line is over-long')
      },
    },
  ]

  function checkFields(section, form) {
    const fields = parseHeader(section, form)
    let end = 0
    for (const field of fields) {
      must(field.start === end && field.end > end, 'a field is not behind the one before')
      must(!/[\r\n]/.test(field.name + field.text()) || fields.faulty, 'a line end is in a name or value')
      end = field.end
    }
    must(/^(?:\r\n)?$/.test(section.toString('latin1', end)) || fields.faulty, 'something is in no field')
    must(hopsOf(fields) <= fields.list.length, 'more hops than fields')
    const edits = [{ remove: firewall, prepend: [] }]
    const left = Buffer.concat(editHeader(section, fields, edits, form))
    const forbidden = [...parseHeader(left, form)].filter((field) => firewall(field))
    must(forbidden.length === 0 || fields.faulty, `it is still there: ${forbidden[0]?.rawName}`)
  }
}
