// SPDX-License-Identifier: MIT
import { NEVER } from '@portico/base'
import { describe, expect, test } from 'vitest'
import { borrow, codeOf, logIn, PATIENCE, poolOf, sendMessage, settingsOf } from './support.js'
import { ToyMta, type ToyRules } from './toy-mta.js'

const EVE = { number: 7, signedIn: false }
const MAIL = 'MAIL FROM:<x@test.lan>'
const RCPT = 'RCPT TO:<a@test.lan>'

async function opened(toy: ToyMta, settings = settingsOf()) {
  const pool = poolOf(settings)
  const session = await logIn(await borrow(pool, toy.backend()), EVE)
  if (session === undefined) throw new Error('the toy refused the login')
  return { pool, session, said: () => toy.received[0] ?? '' }
}

describe('MAIL and the first RCPT', () => {
  test('go out in one write where the backend has PIPELINING (RFC 2920)', async () => {
    const writes: string[] = []
    await using toy = await ToyMta.start()
    const { pool, session } = await opened(toy)
    await using _pool = pool
    const { leg } = session
    const write = leg.writeText.bind(leg)
    leg.writeText = (text) => {
      writes.push(text)
      return write(text)
    }
    const begun = await session.begin(MAIL, RCPT, PATIENCE, NEVER)
    expect([codeOf(begun.mail), codeOf(begun.rcpt)]).toEqual([250, 250])
    expect(writes).toEqual([`${MAIL}\r\n${RCPT}\r\n`])
    expect(session.awaited).toBe(0)
  })

  test.each<[string, Partial<ToyRules>, unknown[], boolean]>([
    [
      'MAIL refused, in one write: the reply to RCPT is swallowed',
      { replies: { MAIL: '550 5.1.8 no' } },
      [550, undefined],
      false,
    ],
    [
      'MAIL refused, one by one: RCPT is not sent',
      { replies: { MAIL: '550 5.1.8 no' }, pipelining: false },
      [550, undefined],
      false,
    ],
    ['RCPT refused', { replies: { RCPT: '550 5.1.1 no' } }, [250, 550], false],
    ['one by one', { pipelining: false }, [250, 250], false],
    [
      'RCPT taken without a sender: nobody knows what the backend believes',
      { replies: { MAIL: '550 5.1.8 no', RCPT: '250 2.1.5 ok' } },
      [550, undefined],
      true,
    ],
    ['421 to MAIL: nothing has begun', { replies: { MAIL: '421 4.3.2 bye' } }, ['closed', undefined], true],
    [
      'the backend goes at MAIL',
      { fault: (verb) => (verb === 'MAIL' ? 'hang-up' : undefined) },
      ['closed', undefined],
      true,
    ],
    ['the backend goes at RCPT', { fault: (verb) => (verb === 'RCPT' ? 'hang-up' : undefined) }, [250, 'closed'], true],
    [
      'the backend will not hear who the client is',
      { xforward: true, replies: { XFORWARD: '550 5.7.0 no' } },
      ['other', undefined],
      true,
    ],
  ])('%s', async (_label, rules, codes, over) => {
    await using toy = await ToyMta.start(rules)
    const { pool, session } = await opened(toy)
    await using _pool = pool
    const begun = await session.begin(MAIL, RCPT, PATIENCE, NEVER)
    expect([codeOf(begun.mail), codeOf(begun.rcpt)]).toEqual(codes)
    expect([session.over, session.over ? 0 : session.awaited]).toEqual([over, 0])
  })
})

describe('the end of a message', () => {
  test('has an answer for each accepted recipient in LMTP (RFC 2033 section 4.2)', async () => {
    await using toy = await ToyMta.start({ dialect: 'lmtp' })
    const { pool, session } = await opened(toy)
    await using _pool = pool
    await session.begin(MAIL, RCPT, PATIENCE, NEVER)
    expect(codeOf(await session.command('RCPT TO:<nobody@test.lan>', PATIENCE, NEVER))).toBe(550)
    await session.command('RCPT TO:<b@test.lan>', PATIENCE, NEVER)
    await session.command('DATA', PATIENCE, NEVER)
    session.leg.writeText('hello\r\n.\r\n')
    const verdicts = await session.verdicts(PATIENCE, NEVER)
    expect(verdicts.map((verdict) => verdict.kind === 'reply' && verdict.reply.lines[0])).toEqual([
      '2.0.0 taken for TO:<a@test.lan>',
      '2.0.0 taken for TO:<b@test.lan>',
    ])
    expect(session.awaited).toBe(0)
  })

  test('has them after the last chunk, too (RFC 2033 section 4.3)', async () => {
    await using toy = await ToyMta.start({ dialect: 'lmtp' })
    const { pool, session } = await opened(toy)
    await using _pool = pool
    await session.begin(MAIL, RCPT, PATIENCE, NEVER)
    await session.command('RCPT TO:<b@test.lan>', PATIENCE, NEVER)
    session.announceChunk(5, false)
    session.leg.writeText('one\r\n')
    session.announceChunk(7, false)
    session.leg.writeText('.\r\nt\0o')
    session.leg.writeText('\n')
    session.announceChunk(0, true)
    expect(session.awaited).toBe(4)
    expect([codeOf(await session.answer(PATIENCE, NEVER)), codeOf(await session.answer(PATIENCE, NEVER))]).toEqual([
      250, 250,
    ])
    expect((await session.verdicts(PATIENCE, NEVER)).map(codeOf)).toEqual([250, 250])
    expect(toy.taken.map(({ text }) => text)).toEqual(['one\r\n.\r\nt\0o\n'])
    expect(session.awaited).toBe(0)
  })

  test('tells each recipient that the backend is gone, where it goes between two answers', async () => {
    await using toy = await ToyMta.start({
      dialect: 'lmtp',
      fault: (verb) => (verb === 'QUIT' ? 'hang-up' : undefined),
    })
    const { pool, session } = await opened(toy)
    await using _pool = pool
    await session.begin(MAIL, RCPT, PATIENCE, NEVER)
    await session.command('RCPT TO:<b@test.lan>', PATIENCE, NEVER)
    toy.rules.replies = { DATA: '354 go on\r\n250 2.0.0 early\r\n421 4.3.2 bye' }
    await session.command('DATA', PATIENCE, NEVER)
    expect((await session.verdicts(PATIENCE, NEVER)).map(codeOf)).toEqual([250, 421])
    expect(session.over).toBe(true)
    expect((await session.verdicts(PATIENCE, NEVER)).map(codeOf)).toEqual([])
  })
})

describe('a connection that is given back', () => {
  test('serves the next client after RSET', async () => {
    await using toy = await ToyMta.start()
    const { pool, session, said } = await opened(toy)
    await using _pool = pool
    expect(await sendMessage(session, 'one')).toBe(true)
    session.giveBack()
    expect(session.over).toBe(true)
    await expect.poll(() => pool.stats()[0]?.idle).toBe(1)
    const next = await borrow(pool, toy.backend())
    expect(next.reused).toBe(true)
    expect(said()).toMatch(/RSET\r\n$/)
    next.discard()
  })

  test('in the middle of a message is cut: nothing that we say may become its text', async () => {
    await using toy = await ToyMta.start()
    const { pool, session, said } = await opened(toy)
    await using _pool = pool
    await session.begin(MAIL, RCPT, PATIENCE, NEVER)
    await session.command('DATA', PATIENCE, NEVER)
    session.giveBack()
    await expect.poll(() => toy.open).toBe(0)
    expect(said()).toMatch(/DATA\r\n$/)
    expect(toy.taken).toEqual([])
  })

  test('with an answer under way is cut', async () => {
    await using toy = await ToyMta.start({ dialect: 'lmtp' })
    const { pool, session } = await opened(toy)
    await using _pool = pool
    await session.begin(MAIL, RCPT, PATIENCE, NEVER)
    await session.command('RCPT TO:<b@test.lan>', PATIENCE, NEVER)
    await session.command('DATA', PATIENCE, NEVER)
    session.leg.writeText('hello\r\n.\r\n')
    await session.answer(PATIENCE, NEVER)
    session.giveBack()
    await expect.poll(() => toy.open).toBe(0)
  })

  test('that belongs to its client by a PROXY header is ended', async () => {
    await using toy = await ToyMta.start()
    const { pool, session, said } = await opened(toy)
    await using _pool = pool
    Object.defineProperty(session.lease, 'backend', { value: toy.backend({ proxyProtocol: 'v2' }) })
    session.giveBack()
    await expect.poll(() => toy.open).toBe(0)
    expect(said()).toMatch(/QUIT\r\n$/)
  })
})
