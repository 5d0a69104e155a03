// SPDX-License-Identifier: MIT

/** Longest line of encoded text (RFC 2045 sections 6.7 and 6.8). */
const LONGEST_LINE = 76
/** Of the name of an encoding with comments: what is longer names none that anybody knows. */
const LONGEST_NAME = 256

/** The content of a part without its transfer encoding; undefined for one that nobody knows. */
export function decodeTransfer(content: Buffer, encoding: string): Buffer | undefined {
  switch (
    encoding
      .slice(0, LONGEST_NAME)
      .replace(/\([^()]*\)/g, '')
      .trim()
      .toLowerCase()
  ) {
    case '':
    case '7bit':
    case '8bit':
    case 'binary':
      return content
    case 'base64':
      return fromBase64(content.toString('latin1'))
    case 'quoted-printable':
      return fromQuotedPrintable(content.toString('latin1'))
    default:
      return undefined
  }
}

/** Text, its lines ended by LF, as a part may carry it anywhere: in ASCII and short lines, whichever way takes less. */
export function encodeText(text: string): {
  readonly encoding: 'base64' | 'quoted-printable'
  readonly content: Buffer
} {
  const octets = Buffer.from(text.replace(/\n/g, '\r\n'))
  const quoted = quotedPrintable(octets)
  if (quoted.length <= octets.length * 1.4)
    return { encoding: 'quoted-printable', content: Buffer.from(quoted, 'latin1') }
  const lines = octets.toString('base64').match(/.{1,76}/g) ?? []
  return { encoding: 'base64', content: Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1') }
}

/** What is no letter of it means nothing (RFC 2045 section 6.8). Mailing lists put a text of their own behind one that has ended. */
function fromBase64(text: string): Buffer {
  const runs = text.replace(/[^A-Za-z0-9+/=]/g, '').split(/=+/)
  return Buffer.concat(runs.map((run) => Buffer.from(run, 'base64')))
}

function fromQuotedPrintable(text: string): Buffer {
  // White space at the end of a line was put there on the way; of octets only these are white space.
  const plain = text
    .split('\n')
    .map((line) => line.slice(0, endOf(line)))
    .join('\r\n')
    .replace(/=\r\n|=$/g, '')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(plain, 'latin1')
}

/** Where a line ends without its white space: a loop, since an expression starts anew at each blank of a long run. */
function endOf(line: string): number {
  let end = line.length
  while (end > 0 && ' \t\r'.includes(line.charAt(end - 1))) end -= 1
  return end
}

/** RFC 2045 section 6.7; white space at the end of a line is encoded. */
function quotedPrintable(octets: Buffer): string {
  return octets
    .toString('latin1')
    .split('\r\n')
    .map((line) => softLines(line.replace(/[^ -<>-~\t]|[ \t]$/g, escaped)))
    .join('\r\n')
}

function escaped(octet: string): string {
  return `=${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

/** What some servers would change at the start of a line, and what a delimiter of parts begins with, which would end the text there. */
const LEADS = ['--', '.', 'From ']

function softLines(line: string): string {
  const lines: string[] = []
  for (let from = 0; ; ) {
    const lead = LEADS.some((text) => line.startsWith(text, from)) ? escaped(line.charAt(from)) : ''
    const start = lead === '' ? from : from + 1
    const room = LONGEST_LINE - lead.length
    if (line.length - start <= room) return [...lines, `${lead}${line.slice(start)}`].join('=\r\n')
    let end = start + room - 1
    // An escaped octet stays in one line.
    if (line[end - 1] === '=') end -= 1
    else if (line[end - 2] === '=') end -= 2
    lines.push(`${lead}${line.slice(start, end)}`)
    from = end
  }
}
