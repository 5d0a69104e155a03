// SPDX-License-Identifier: MIT
import { NEVER } from '@portico/base'
import { describe, expect, test } from 'vitest'
import type { SmtpGreeting } from '../../src/backend/greeting.js'
import { borrow, logIn, poolOf, sendMessage, settingsOf } from './support.js'
import { ToyMta, type ToyRules } from './toy-mta.js'

const EVE = { number: 7, signedIn: false }

describe('preparing a connection', () => {
  test.each<[string, Partial<ToyRules>, string, string[]]>([
    ['SMTP begins with EHLO', {}, 'EHLO portico.test.lan\r\n', ['PIPELINING', 'CHUNKING']],
    [
      'LMTP begins with LHLO (RFC 2033 section 4.1)',
      { dialect: 'lmtp' },
      'LHLO portico.test.lan\r\n',
      ['PIPELINING', 'CHUNKING'],
    ],
    [
      'a server that does not know EHLO is greeted the old way (RFC 5321 section 3.2)',
      { replies: { EHLO: '500 5.5.1 what?' } },
      'EHLO portico.test.lan\r\nHELO portico.test.lan\r\n',
      [],
    ],
    [
      'so is one that does not implement it',
      { replies: { EHLO: '502 5.5.1 no' } },
      'EHLO portico.test.lan\r\nHELO portico.test.lan\r\n',
      [],
    ],
  ])('%s', async (_label, rules, said, extensions) => {
    await using toy = await ToyMta.start(rules)
    await using pool = poolOf(settingsOf())
    await using lease = await borrow(pool, toy.backend())
    expect(toy.received).toEqual([said])
    expect([...(lease.greeting as SmtpGreeting).extensions.keys()]).toEqual(extensions)
  })

  test.each<[string, Partial<ToyRules>, Partial<Parameters<ToyMta['backend']>[0]>, string]>([
    ['one that will not have us', { replies: { EHLO: '554 5.7.1 no' } }, {}, 'other'],
    ['one that is overloaded', { replies: { EHLO: '421 4.3.2 later' } }, {}, 'closed'],
    ['LMTP has no older greeting', { dialect: 'lmtp', replies: { LHLO: '500 5.5.1 what?' } }, {}, 'other'],
    ['STARTTLS that is not offered where it has to be', {}, { tls: { mode: 'starttls', verify: true } }, 'tls'],
    [
      'octets behind the reply to STARTTLS would be taken for what is said under TLS',
      { replies: { EHLO: '250-toy\r\n250 STARTTLS', STARTTLS: '220 2.0.0 go\r\n250 injected' } },
      { tls: { mode: 'starttls', verify: false } },
      'tls',
    ],
  ])('fails with %s', async (_label, rules, changes, code) => {
    await using toy = await ToyMta.start(rules)
    await using pool = poolOf(settingsOf())
    const acquired = await pool.acquire(toy.backend(changes), NEVER)
    expect(acquired.kind === 'failed' ? acquired.error.code : 'lease').toBe(code)
  })
})

describe('before a connection serves somebody else', () => {
  test.each<[string, Partial<ToyRules>, string]>([
    ['RSET is enough where nothing was said of the client', {}, 'RSET\r\n'],
    ['and where XFORWARD was said: it ends with its message', { xforward: true }, 'RSET\r\n'],
    ['and after XCLIENT where it is offered still: it will be said again', { xclient: 'always' }, 'RSET\r\n'],
    ['QUIT, where RSET was not confirmed', { replies: { RSET: '502 5.5.1 no' } }, 'RSET\r\nQUIT\r\n'],
    ['QUIT, where XCLIENT is offered no more', { xclient: 'once' }, 'QUIT\r\n'],
  ])('%s', async (_label, rules, said) => {
    await using toy = await ToyMta.start(rules)
    await using pool = poolOf(settingsOf())
    const session = await logIn(await borrow(pool, toy.backend()), EVE)
    expect(session && (await sendMessage(session, 'one'))).toBe(true)
    const before = toy.received[0]?.length ?? 0
    session?.giveBack()
    await expect.poll(() => pool.stats()[0]?.lent).toBe(0)
    await expect.poll(() => toy.received[0]?.slice(before)).toBe(said)
    expect(pool.stats()[0]?.idle).toBe(said.endsWith('QUIT\r\n') ? 0 : 1)
  })

  test('a hundred clients are enough for a connection', async () => {
    await using toy = await ToyMta.start()
    await using pool = poolOf(settingsOf())
    for (let count = 0; count < 101; count++) {
      const session = await logIn(await borrow(pool, toy.backend()), EVE)
      expect(session && (await sendMessage(session, 'one'))).toBe(true)
      session?.giveBack()
      await expect.poll(() => pool.stats()[0]?.lent, { interval: 1 }).toBe(0)
    }
    expect(toy.accepted).toBe(2)
  })
})
