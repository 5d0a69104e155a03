// SPDX-License-Identifier: MIT
import { crc32, deflateSync } from './png-parts.js'

/** The header of a made-up mail. */
export interface MailHead {
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly date: Date
  readonly id: string
  readonly inReplyTo?: string
}

/** A plain text mail. */
export function letter(head: MailHead, lines: readonly string[]): Buffer {
  return mail(head, 'text/plain; charset=utf-8', [
    'Content-Transfer-Encoding: base64',
    '',
    ...base64Lines(Buffer.from(`${lines.join('\r\n')}\r\n`)),
  ])
}

/** An HTML mail with a plain alternative. */
export function newsletter(head: MailHead): Buffer {
  return mail(head, 'multipart/alternative; boundary="=alternative="', [
    '',
    '--=alternative=',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    'The crane is painted, the ferry runs until ten.',
    '--=alternative=',
    'Content-Type: text/html; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    '<html><body><h1 style=3D"color:#036">September</h1>',
    '<p>The crane is painted, the <b>ferry</b> runs until ten.</p></body></html>',
    '--=alternative=--',
  ])
}

/** A mail with a picture, a document and a text file. */
export function withAttachments(head: MailHead): Buffer {
  return mail(head, 'multipart/mixed; boundary="=mixed="', [
    '',
    '--=mixed=',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    'Here are the plans, the photo and my notes.',
    ...attachment('image/png', 'harbour.png', picture()),
    ...attachment('application/pdf', 'plans.pdf', document()),
    ...attachment('text/plain; charset=utf-8', 'notes.txt', Buffer.from('Door: 90 cm. Window: 120 cm.\r\n')),
    '--=mixed=--',
  ])
}

function mail(head: MailHead, contentType: string, rest: readonly string[]): Buffer {
  const lines = [
    `Date: ${head.date.toUTCString().replace('GMT', '+0000')}`,
    `From: ${displayName(head.from)} <${head.from}>`,
    `To: ${displayName(head.to)} <${head.to}>`,
    `Subject: ${encodedWord(head.subject)}`,
    `Message-ID: ${head.id}`,
    ...(head.inReplyTo === undefined ? [] : [`In-Reply-To: ${head.inReplyTo}`, `References: ${head.inReplyTo}`]),
    'MIME-Version: 1.0',
    `Content-Type: ${contentType}`,
    ...rest,
    '',
  ]
  return Buffer.from(lines.join('\r\n'))
}

function displayName(address: string): string {
  const local = address.slice(0, address.indexOf('@'))
  return local.slice(0, 1).toUpperCase() + local.slice(1)
}

/** RFC 2047, where it is needed. Our subjects fit into one word of 75 characters. */
function encodedWord(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`
}

function attachment(contentType: string, name: string, content: Buffer): readonly string[] {
  return [
    '--=mixed=',
    `Content-Type: ${contentType}; name="${name}"`,
    `Content-Disposition: attachment; filename="${name}"`,
    'Content-Transfer-Encoding: base64',
    '',
    ...base64Lines(content),
  ]
}

function base64Lines(content: Buffer): readonly string[] {
  return content.toString('base64').match(/.{1,76}/g) ?? []
}

/** A true PNG of 32 × 32 points: sky above, water below. */
function picture(): Buffer {
  const rows = Array.from({ length: 32 }, (_, y) => {
    const [r, g, b] = y < 18 ? [160, 200, 240] : [20, 60 + y * 2, 110]
    return Buffer.from([0, ...Array.from({ length: 32 }, () => [r, g, b]).flat()] as number[])
  })
  const header = Buffer.from([0, 0, 0, 32, 0, 0, 0, 32, 8, 2, 0, 0, 0])
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
    const frame = Buffer.alloc(8)
    frame.writeUInt32BE(data.length, 0)
    frame.writeUInt32BE(crc32(body), 4)
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
  }
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** A PDF of one empty page. */
function document(): Buffer {
  return Buffer.from(
    [
      '%PDF-1.4',
      '1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj',
      '2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj',
      '3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >> endobj',
      'trailer << /Root 1 0 R /Size 4 >>',
      '%%EOF',
      '',
    ].join('\n'),
  )
}
