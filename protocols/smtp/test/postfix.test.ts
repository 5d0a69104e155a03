// SPDX-License-Identifier: MIT
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Secret } from '@portico/base'
import { createFrontEnd } from '@portico/frontend'
import { silentLog } from '@portico/telemetry'
import { requireServer, startDovecot, startPostfix, testCertificates } from '@portico/testkit'
import { expect, test } from 'vitest'
import { smtp } from '../src/index.js'

const skip = requireServer('dovecot', 'postfix', 'curl') !== undefined || process.getuid?.() !== 0
const run = promisify(execFile)

test.skipIf(skip)(
  'Postfix takes inbound mail and submissions from us, with the client and the sender told by XCLIENT',
  async () => {
    await using dovecot = await startDovecot({ name: 'mbx1', users: { alice: 'alice-pw' } })
    await using postfix = await startPostfix({
      lmtpPort: dovecot.ports.lmtp,
      saslPort: dovecot.ports.sasl,
      recipients: ['alice@test.lan'],
    })
    const folder = mkdtempSync(join(tmpdir(), 'portico-smtp-'))
    const users = join(folder, 'users')
    writeFileSync(users, 'alice:{PLAIN}alice-pw::::::group=mta\nbob:{PLAIN}bob-pw::::::group=mta\n', { mode: 0o600 })
    const { ca, server } = testCertificates()
    const listener = { protocol: 'smtp', address: '127.0.0.1:0' }
    await using frontEnd = await createFrontEnd({
      protocols: [smtp],
      log: silentLog,
      config: {
        version: 1,
        hostname: 'portico.test.lan',
        tls: [{ names: ['localhost'], certificate: { text: server.certificate }, key: new Secret(server.key) }],
        listeners: [
          { ...listener, tls: 'none', connector: 'inbound' },
          { ...listener, tls: 'starttls', connector: 'client' },
          { ...listener, address: '[::1]:0', tls: 'none', connector: 'inbound' },
        ],
        smtp: { connectors: { inbound: { domains: ['test.lan'] } } },
        credentials: [{ type: 'users-file', path: users }],
        location: [{ type: 'users-file', domains: ['test.lan'] }],
        backends: {
          mta: {
            identity: 'xclient',
            smtp: {
              endpoints: [`127.0.0.1:${postfix.port}`],
              tls: { mode: 'starttls', ca: { text: ca.certificate }, servername: 'localhost' },
            },
          },
        },
      },
    })
    const [inbound, submission, inboundIpv6] = frontEnd.listeners.map(({ port }) => port)
    const message = join(folder, 'message')
    const caFile = join(folder, 'ca.pem')
    writeFileSync(caFile, ca.certificate)
    writeFileSync(message, 'Subject: hello\r\n\r\n.a line with a dot\r\n')
    const send = (port: number | undefined, from: string, to: string, ...more: string[]) =>
      run('curl', [
        '-sS',
        `smtp://localhost:${port}/pc.test.lan`,
        '--mail-from',
        from,
        '--mail-rcpt',
        to,
        '-T',
        message,
        ...more,
      ])
    const signIn = ['--ssl-reqd', '--cacert', caFile, '-u', 'alice:alice-pw']

    await send(inbound, 'eve@far.example', 'alice@test.lan')
    await send(submission, 'alice@test.lan', 'alice@test.lan', ...signIn)
    const mails = await dovecot.mailOf('alice', 2)
    for (const mail of mails) {
      expect(mail).toMatch(
        /Received: from pc\.test\.lan \(\[127\.0\.0\.1\]\)\r?\n\tby portico\.test\.lan with ESMTPS?A? id /,
      )
      expect(mail).toMatch(/\r?\n\.a line with a dot\r?\n/)
    }
    expect(mails.filter((mail) => mail.includes('with ESMTPSA id'))).toHaveLength(1)
    expect(await postfix.logged(/sasl_username=alice/)).toContain('sasl_method=XCLIENT')
    // It knows no IPv6: the client's address is then nobody's, above all not ours.
    await send(inboundIpv6, 'eve@far.example', 'alice@test.lan')
    expect(await postfix.logged(/client=unknown\[unknown]/)).toContain('client=unknown[unknown]')
    expect(await dovecot.mailOf('alice', 3)).toHaveLength(3)
    // The directory knows bob, the backend does not: its refusal comes back to the sender (curl's exit code 55).
    await expect(send(inbound, 'eve@far.example', 'bob@test.lan')).rejects.toThrow('550')
    await expect(send(inbound, 'eve@far.example', 'bob@far.example')).rejects.toThrow('550')
    rmSync(folder, { recursive: true })
  },
)
