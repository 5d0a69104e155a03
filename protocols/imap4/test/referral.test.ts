// SPDX-License-Identifier: MIT
import { createFrontEnd } from '@portico/frontend'
import { imap4 } from '@portico/imap4'
import { expect, test } from 'vitest'

test('nobody is sent elsewhere whose password only a backend knows (RFC 2221 section 6)', async () => {
  const config = {
    version: 1,
    listeners: [{ protocol: 'imap4', address: '127.0.0.1:0', tls: 'none' }],
    credentials: [{ type: 'deferred' }],
    location: [{ type: 'hash', group: 'there' }],
    backends: { there: { redirect: { imap4: 'imap.site2.example' } } },
  }
  await expect(createFrontEnd({ config, protocols: [imap4] })).rejects.toThrow(/backends\.there\.redirect: .*deferred/)
})
