// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { requireServer } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { dkimOf, rsaKey, verdictsOf } from './support.js'

/** Signs messages with dkimpy in every form, seals some, and prints them: a JSON list of what it is and the octets in base64. */
const SIGNER = `
import base64, dkim, json, sys
key = sys.stdin.read().encode()
header = {
  'plain': b'From: alice@test.lan\\r\\nTo: bob@test.lan\\r\\nSubject: hello\\r\\n',
  'folded': b'From: Alice\\r\\n <alice@test.lan>\\r\\nSubject:   hello \\t there\\r\\n\\tand   here  \\r\\nX-Empty:\\r\\nX-Blank: \\r\\n',
  'names': b'FROM: alice@test.lan\\r\\nsUBject:hello\\r\\nReceived: one\\r\\nReceived: two\\r\\n',
  'octets': 'From: alice@test.lan\\r\\nSubject: caffè  voilà là \\r\\n'.encode(),
}
body = {
  'plain': b'Hi.\\r\\n',
  'blanks': b'  a  b\\t\\tc \\r\\n \\r\\n\\r\\n d \\t\\r\\n\\r\\n\\r\\n',
  'empty': b'',
  'lines': b'\\r\\n\\r\\n',
  'dots': b'.\\r\\n..\\r\\n',
  'octets': 'caffè  à \\r\\n'.encode(),
}
said = []
for h in header:
  for b in body:
    message = header[h] + b'\\r\\n' + body[b]
    for form in ((b'simple', b'simple'), (b'simple', b'relaxed'), (b'relaxed', b'simple'), (b'relaxed', b'relaxed')):
      for length in (False, True):
        signature = dkim.sign(message, b's1', b'test.lan', key, canonicalize=form, length=length)
        label = ' '.join([h, b, form[0].decode(), form[1].decode()] + (['length'] if length else []))
        said.append(['dkim', label, base64.b64encode(signature + message).decode()])
    sealed = message
    for domain in (b'one.lan', b'two.lan', b'three.lan'):
      sealed = b'Authentication-Results: ' + domain + (b'; ' if domain == b'one.lan' else b'; arc=pass; ') + b'dmarc=pass header.from=test.lan\\r\\n' + sealed
      sealed = b''.join(dkim.arc_sign(sealed, b's1', domain, key, domain, include_headers=[b'from', b'subject'])) + sealed
    said.append(['arc', h + ' ' + b, base64.b64encode(sealed).decode()])
print(json.dumps(said))
`

const reason = requireServer('dkimsign')

describe.skipIf(reason !== undefined)(
  `what another program signs${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    const key = rsaKey(1024)
    const entries = ['test.lan', 'one.lan', 'two.lan', 'three.lan'].map(
      (domain) => [`s1._domainkey.${domain}`, 'TXT', [key.record]] as const,
    )

    test('holds, in every form and for every kind of header and body, and not when an octet was changed', async () => {
      const input = key.secret.export({ type: 'pkcs1', format: 'pem' })
      const said = execFileSync('/usr/bin/python3', ['-c', SIGNER], { input, encoding: 'utf8', maxBuffer: 2 ** 26 })
      const messages = JSON.parse(said) as readonly (readonly ['dkim' | 'arc', string, string])[]
      expect(messages).toHaveLength(216)
      for (const [what, label, base64] of messages) {
        const message = Buffer.from(base64, 'base64')
        const changed = Buffer.from(message.toString('latin1').replace(/lice@test/, 'lyce@test'), 'latin1')
        const now = Date.now()
        if (what === 'dkim') {
          expect([label, await dkimOf(message, entries, now)]).toEqual([label, ['pass']])
          expect([label, await dkimOf(changed, entries, now)]).toEqual([label, ['fail: signature does not verify']])
        } else {
          expect([label, (await verdictsOf(message, entries, now)).arc]).toMatchObject([label, { result: 'pass' }])
          expect([label, (await verdictsOf(changed, entries, now)).arc]).toMatchObject([label, { result: 'fail' }])
        }
      }
    })
  },
)
