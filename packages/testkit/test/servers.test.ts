// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { requireServer, startDovecot, startPostfix, startRadicale, waitForPort } from '../src/index.js'

const asRoot = process.getuid?.() === 0
const skipMail = requireServer('dovecot', 'postfix', 'curl') !== undefined || !asRoot

test.skipIf(skipMail)(
  'Postfix hands a message to Dovecot, which shows it by IMAP; both stop without a trace',
  async () => {
    const dovecot = await startDovecot({ name: 'mbx1', users: { alice: 'alicepw' } })
    const postfix = await startPostfix({ lmtpPort: dovecot.ports.lmtp })
    const run = (args: string[], input = '') => execFileSync('curl', ['-sS', ...args], { input, encoding: 'utf8' })
    run(
      [`smtp://127.0.0.1:${postfix.port}`, '--mail-from', 'bob@test.lan', '--mail-rcpt', 'alice@test.lan', '-T', '-'],
      'Subject: hello\r\n\r\nhi\r\n',
    )
    expect(await dovecot.mailOf('alice', 1)).toEqual([expect.stringContaining('Subject: hello')])
    expect(
      run([`imap://127.0.0.1:${dovecot.ports.imap}/`, '-u', 'alice:alicepw', '-X', 'STATUS INBOX (MESSAGES)']),
    ).toContain('MESSAGES 1')
    expect(await postfix.logged(/status=sent/)).toContain('alice@test.lan')
    await Promise.all([postfix.stop(), dovecot.stop()])
    await waitForPort(dovecot.ports.imap, false)
    expect(existsSync(dovecot.folder)).toBe(false)
  },
)

test.skipIf(requireServer('radicale', 'curl') !== undefined)('Radicale asks for a password and answers', async () => {
  await using radicale = await startRadicale({ users: { alice: 'alicepw' } })
  const status = (...args: string[]) =>
    execFileSync(
      'curl',
      ['-sS', '-o', '/dev/null', '-w', '%{http_code}', ...args, `http://127.0.0.1:${radicale.port}/alice/`],
      {
        encoding: 'utf8',
      },
    )
  expect(status('-X', 'PROPFIND', '-u', 'alice:alicepw')).toBe('207')
  expect(status('-X', 'PROPFIND', '-u', 'alice:wrong')).toBe('401')
})

test('a program that is missing is named with its package', () => {
  const before = process.env['PORTICO_REQUIRE_ALL']
  try {
    process.env['PORTICO_REQUIRE_ALL'] = '0'
    expect(requireServer('sh', 'no-such-program')).toContain('no-such-program is missing')
    process.env['PORTICO_REQUIRE_ALL'] = '1'
    expect(() => requireServer('no-such-program')).toThrow(/missing/)
  } finally {
    process.env['PORTICO_REQUIRE_ALL'] = before
  }
})
