// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { headerTypes } from '../../src/content/message-types.js'
import { contents, fieldsOf, octetsOf } from './support.js'

const HEADERS: readonly (readonly [label: string, fields: string, types: readonly string[]])[] = [
  ['a vacation of Dovecot (RFC 3834)', 'Auto-Submitted: auto-replied (vacation)', ['auto-reply']],
  ['no reply', 'Auto-Submitted: no', []],
  ['a machine that answers nobody', 'Auto-Submitted: auto-generated', []],
  ['an automatic reply of Exchange', 'Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All', ['auto-reply']],
  ['a letter that wants no replies', 'X-Auto-Response-Suppress: OOF', []],
  ['an old one', 'Precedence: auto_reply', ['auto-reply']],
  ['another old one', 'X-Autoreply: yes', ['auto-reply']],
  ['one of X.400 (RFC 2156)', 'Autoforwarded: TRUE', ['auto-forward']],
  ['one of Gmail', 'X-Forwarded-To: a@b.test\nX-Forwarded-For: c@b.test a@b.test', ['auto-forward']],
  ['an invitation', 'Content-Type: text/calendar; method=REQUEST', ['calendaring']],
  ['an invitation by its class', 'Content-Class: urn:content-classes:calendarmessage', ['calendaring']],
  [
    'PGP (RFC 3156)',
    'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b',
    ['encrypted'],
  ],
  [
    'S/MIME (RFC 8551)',
    'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m',
    ['encrypted'],
  ],
  ['S/MIME that says no more', 'Content-Type: application/x-pkcs7-mime; name=smime.p7m', ['encrypted']],
  ['S/MIME, opaque signature', 'Content-Type: application/pkcs7-mime; smime-type="signed-data"', ['signed']],
  ['S/MIME, certificates', 'Content-Type: application/pkcs7-mime; smime-type=certs-only', []],
  ['a clear signature (RFC 1847)', 'Content-Type: Multipart/Signed; boundary=b', ['signed']],
  [
    'a read receipt (RFC 8098)',
    'Content-Type: multipart/report;\n report-type=disposition-notification; boundary=b',
    ['read-receipt'],
  ],
  ['a bounce (RFC 3464)', 'Content-Type: multipart/report; boundary=b; report-type="Delivery-Status"', ['bounce']],
  ['another report', 'Content-Type: multipart/report; report-type=feedback-report', []],
  ['a protected one', 'Content-Class: rpmsg.message', ['permission-controlled']],
  ['a plain one', 'Subject: x', []],
]

test.each(HEADERS)('by the header section: %s', (_label, fields, types) => {
  expect([...headerTypes(fieldsOf(octetsOf(`${fields}\n\n`)))]).toEqual(types)
})

const PARTS: readonly (readonly [label: string, part: readonly string[], types: readonly string[]])[] = [
  [
    'an invitation beside its text',
    ['Content-Type: text/calendar; method=REQUEST', '', 'BEGIN:VCALENDAR'],
    ['calendaring'],
  ],
  [
    'a protected one',
    ['Content-Type: application/x-microsoft-rpmsg-message; name=message.rpmsg', '', 'x'],
    ['permission-controlled'],
  ],
  [
    'a signature below the footer of a list',
    ['Content-Type: multipart/signed; boundary=s', '', '--s', '', 'text', '--s--'],
    ['signed'],
  ],
  ['an encrypted file makes no encrypted message', ['Content-Type: application/pkcs7-mime; name=x.p7m', '', 'x'], []],
  [
    'what a message within it is says nothing',
    ['Content-Type: message/rfc822', '', 'Content-Type: multipart/signed; boundary=s', '', '--s--'],
    [],
  ],
]

test.each(PARTS)('by its parts: %s', async (_label, part, types) => {
  const message = ['Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'text', '--b', ...part, '--b--', '']
  expect([...(await contents(message)).types]).toEqual(types)
})
