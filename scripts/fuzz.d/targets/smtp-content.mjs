// SPDX-License-Identifier: MIT
import { must } from '../engine.mjs'

/** What messages hold: fields of MIME, encoded words, HTML, parts, archives. */
export async function smtpContentTargets(load) {
  const { parseMimeField } = await load('protocols/smtp', 'content/mime-field')
  const { decodeWords } = await load('protocols/smtp', 'content/encoded-words')
  const { htmlText } = await load('protocols/smtp', 'content/html-text')
  const { PartScanner } = await load('protocols/smtp', 'content/scan-parts')
  const { ZipNames } = await load('protocols/smtp', 'content/zip-names')
  const { decodeTransfer, encodeText } = await load('protocols/smtp', 'content/transfer')
  const { insertHtml } = await load('protocols/smtp', 'rules/disclaimer/insert')

  return [
    {
      name: 'mime-field',
      words: [
        ...[
          'text/plain',
          'charset',
          'filename',
          'name*',
          '*0',
          '*1*',
          "utf-8''",
          '%C3%BC',
          '%',
          '=',
          ';',
          '"',
          '\\',
          '(',
          ')',
        ],
        ...['=?utf-8?q?', '=?iso-2022-jp?b?', '?=', '=E9', '_', ' ', '\t', '\xc3\xbc', '\xff', '\0'],
      ],
      examples: [
        'attachment; filename="a b.txt"',
        "attachment; filename*0*=iso-8859-1''%FCb; filename*1=er.zip",
        'text/plain (comment); charset=utf-8; name="=?utf-8?q?a=2Eb?= =?utf-8?b?Yw==?="',
      ],
      async run(bytes) {
        const raw = bytes.toString('latin1')
        const { value, parameters } = parseMimeField(raw)
        return { value, parameters: [...parameters], words: decodeWords(raw) }
      },
      check({ value, parameters, words }, bytes) {
        must(!/[\sA-Z]/.test(value), 'a value with white space or capitals')
        must(
          parameters.every(([name]) => name !== '' && !/[A-Z]/.test(name)),
          'a name that is none',
        )
        must(words.length <= bytes.length * 2, 'words that grow')
      },
    },
    {
      name: 'html-text',
      words: [
        ...[
          '<',
          '>',
          '</',
          '<p>',
          '<br/>',
          '<!--',
          '-->',
          '<style>',
          '</style>',
          '<script',
          '<a href="',
          "'",
          '"',
          '=',
          '<!DOCTYPE',
          '<body',
          '</body>',
        ],
        ...['&', '&amp;', '&#233;', '&#x1F600;', '&eacute', ';', ' ', '\n', '\t', 'word', '\0', '\xa0'],
      ],
      examples: [
        '<html><body class="a>b"><p>h&eacute;llo<br>you</p></body></html>',
        '<style>p{}</style>a<!-- b -->c',
        'a < b',
      ],
      async run(bytes) {
        const html = bytes.toString('latin1')
        return {
          text: htmlText(html),
          append: insertHtml(html, 'MORE', 'append'),
          prepend: insertHtml(html, 'MORE', 'prepend'),
        }
      },
      check({ text, append, prepend }, bytes) {
        const html = bytes.toString('latin1')
        must(text.length <= html.length, 'text that grows')
        must(text === text.trim() && !/\n\n| {2}/.test(text), 'white space that nobody sees')
        for (const made of [append, prepend]) {
          const at = [...made.matchAll(/MORE/g)].some(
            ({ index }) => made.slice(0, index) + made.slice(index + 4) === html,
          )
          must(at, 'HTML that is another one')
        }
      },
    },
    {
      name: 'mime-parts',
      words: [
        ...['--a', '--b', '--a--', '--b--', '--', '\r\n', '\n', '\r', '\r\n\r\n', ' ', 'text', '\0', '\xff'],
        ...[
          'Content-Type: multipart/mixed; boundary=a\r\n',
          'Content-Type: multipart/alternative; boundary="b"\r\n',
          'Content-Type: text/html\r\n',
        ],
      ],
      examples: [
        'Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\ntext\r\n--a\r\nContent-Type: text/html\r\n\r\nx\r\n--a--\r\n',
        'Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n--a--',
        'Subject: x\r\n\r\ntext',
      ],
      streams: true,
      async run(_bytes, pieces) {
        const places = []
        const scanner = new PartScanner(({ start, body, end, contentType, within }) =>
          places.push({ start, body, end, type: contentType.value, depth: within.length }),
        )
        for (const piece of pieces) scanner.take(piece)
        scanner.end()
        return { places, lost: scanner.lost }
      },
      check({ places }, bytes) {
        let before = 0
        for (const { start, body, end } of places) {
          must(before <= start && start <= body && body <= end && end <= bytes.length, 'parts that overlap')
          before = end
        }
      },
    },
    {
      name: 'zip-names',
      words: [
        ...[
          'PK\x03\x04',
          'PK\x01\x02',
          'PK',
          'P',
          '\0',
          '\0\0\0\0\0\0\0\0',
          '\x01',
          '\x08',
          '\x05\0',
          '\xff\xff',
          'a.exe',
        ],
        `PK\x03\x04${'\0'.repeat(22)}\x05\0\0\0a.exe`,
        `PK\x01\x02${'\0'.repeat(24)}\x05\0${'\0'.repeat(16)}b.exe`,
      ],
      examples: [
        `PK\x03\x04${'\0'.repeat(22)}\x05\0\0\0a.exex`,
        `xPK\x01\x02\0\0\0\0\x01${'\0'.repeat(19)}\x05\0${'\0'.repeat(16)}b.exe`,
      ],
      streams: true,
      async run(_bytes, pieces) {
        const zip = new ZipNames(10)
        for (const piece of pieces) zip.take(piece)
        zip.end()
        return { names: [...zip.names], encrypted: zip.encrypted }
      },
      check({ names }) {
        must(names.length <= 10 && names.every((name) => name !== ''), 'names that are none')
      },
    },
    {
      name: 'transfer-encoding',
      words: [
        '=',
        '=\r\n',
        '=20',
        '=E',
        '==',
        '.',
        'From ',
        ' ',
        '\t',
        '\r\n',
        '\n',
        '\xc3\xbc',
        'x'.repeat(70),
        '\0',
        'aGVsbG8=',
      ],
      examples: ['h=C3=A9 ll=\r\no', 'aGVsbG8=', '.\nFrom x \n'],
      async run(bytes) {
        const text = bytes.toString('utf8').replace(/\r\n?/g, '\n')
        const { encoding, content } = encodeText(text)
        const decoded = ['base64', 'quoted-printable'].map((name) => decodeTransfer(bytes, name)?.length ?? -1)
        return {
          text,
          lines: content.toString('latin1'),
          again: decodeTransfer(content, encoding)?.toString('utf8'),
          decoded,
        }
      },
      check({ text, lines, again, decoded }, bytes) {
        must(again?.replace(/\r\n/g, '\n') === text, 'another text comes back')
        must(
          lines.split('\r\n').every((line) => /^[ -~\t]{0,76}$/.test(line)),
          'a line that not everybody passes on',
        )
        must(
          decoded.every((length) => length >= 0 && length <= bytes.length * 2),
          'octets that grow',
        )
      },
    },
  ]
}
