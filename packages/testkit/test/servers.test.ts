// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import {
  CYRUS_PROGRAMS,
  requireServer,
  startCyrus,
  startDovecot,
  startPostfix,
  startRadicale,
  waitForPort,
} from '../src/index.js'

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

test.skipIf(skipMail)('a Dovecot that was killed has a successor in its place, with its mail', async () => {
  const options = { users: { alice: 'alicepw' } }
  const former = await startDovecot(options)
  former.deliver('alice', 'Subject: kept\r\n\r\nhi\r\n')
  await former.kill()
  await waitForPort(former.ports.imap, false)
  const dovecot = await startDovecot({ ...options, successorOf: former })
  expect(dovecot.ports).toEqual(former.ports)
  expect(await dovecot.mailOf('alice')).toEqual([expect.stringContaining('Subject: kept')])
  expect(dovecot.who()).toEqual([])
  await dovecot.stop()
  expect(existsSync(dovecot.folder)).toBe(false)
})

const skipCyrus = requireServer(...CYRUS_PROGRAMS, 'curl') !== undefined || !asRoot

test.skipIf(skipCyrus)('Cyrus takes a message by LMTP, which shows by IMAP; it stops without a trace', async () => {
  const cyrus = await startCyrus({ users: { alice: 'alicepw' } })
  await cyrus.deliver('alice', 'Subject: hello\r\n\r\n.hi\r\n')
  const url = `imap://127.0.0.1:${cyrus.ports.imap}/INBOX;MAILINDEX=1`
  expect(execFileSync('curl', ['-sS', url, '-u', 'alice:alicepw'], { encoding: 'utf8' })).toContain('\r\n\r\n.hi\r\n')
  await expect(cyrus.deliver('nobody at all', 'Subject: hello\r\n\r\nhi\r\n')).rejects.toThrow(/did not take/)
  await cyrus.stop()
  expect(existsSync(cyrus.folder)).toBe(false)
})

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

test('a program that is missing is named with its package, where a test is skipped for it', () => {
  using said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const before = process.env['PORTICO_REQUIRE_ALL']
  try {
    process.env['PORTICO_REQUIRE_ALL'] = '0'
    expect(requireServer('sh', 'no-such-program')).toContain('no-such-program is missing')
    expect(said.mock.calls).toEqual([[expect.stringMatching(/^skipped: no-such-program is missing .*\n$/)]])
    process.env['PORTICO_REQUIRE_ALL'] = '1'
    expect(() => requireServer('no-such-program')).toThrow(/missing/)
  } finally {
    process.env['PORTICO_REQUIRE_ALL'] = before
  }
})
