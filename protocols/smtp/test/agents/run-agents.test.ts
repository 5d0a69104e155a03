// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import { describe, expect, test } from 'vitest'
import { type Agent, type Notes, type Opinion, PASS } from '../../src/agents/agent.js'
import { GO } from '../../src/agents/run-agents.js'
import { parseHeader } from '../../src/message/header-fields.js'
import type { SpooledMessage } from '../../src/message/spool.js'
import { say } from '../../src/replies.js'
import { agent, prepending, recipient, stage, witness } from './support.js'

const HELLO = { kind: 'ehlo', domain: 'client.example' } as const
const NOBODY = { sender: undefined, parameters: new Map() }
const REFUSAL = say(550, '5.7.1', 'Not wanted')
const refusing = () => ({ kind: 'refuse', reply: REFUSAL }) as const
const never = () => new Promise<Opinion>(() => {})

describe('who is asked', () => {
  test('agents in their order, each for the events that it wants', async () => {
    const heard: string[] = []
    const only = agent({
      mail: () => {
        heard.push('second mail')
        return PASS
      },
    })
    const { run } = stage([witness('first', heard), only])
    await run.ask('ehlo', HELLO)
    await run.ask('mail', NOBODY)
    expect(heard).toEqual(['first ehlo', 'first mail', 'second mail'])
  })

  test('one agent after another: the second hears nothing before the first has answered', async () => {
    const heard: string[] = []
    let answer: (opinion: Opinion) => void = () => {}
    const slow = agent({ ehlo: () => new Promise((resolve) => (answer = resolve)) })
    const { run } = stage([slow, witness('second', heard)])
    const verdict = run.ask('ehlo', HELLO)
    await Promise.resolve()
    expect(heard).toEqual([])
    answer({ kind: 'pass' })
    expect(await verdict).toEqual(GO)
    expect(heard).toEqual(['second ehlo'])
  })

  test('nobody after a refusal, which is the verdict and one line of the log', async () => {
    const heard: string[] = []
    const { run, lines } = stage([agent({ mail: refusing }, { name: 'strict' }), witness('second', heard)])
    expect(await run.ask('mail', NOBODY)).toEqual({ kind: 'refuse', reply: REFUSAL, close: false })
    expect(heard).toEqual([])
    expect(lines).toEqual([
      expect.objectContaining({
        message: 'an agent refused',
        session: 's1',
        client: '192.0.2.7',
        agent: 'strict',
        event: 'mail',
        reply: '550 5.7.1 Not wanted',
      }),
    ])
  })

  test('an agent that has no business in the session is not heard of', async () => {
    const { run } = stage([agent(undefined)])
    expect(await run.ask('ehlo', HELLO)).toEqual(GO)
    expect(run.needsBody()).toBe(false)
  })

  test('an event that nobody wants to hear of is answered at once', () => {
    const { run } = stage([agent({ mail: refusing })])
    expect(run.ask('ehlo', HELLO)).toEqual(GO)
  })

  test('edits of several agents come in their order', async () => {
    const [one, two] = [prepending('X-One: 1\r\n'), prepending('X-Two: 2\r\n')]
    const { run } = stage([
      agent({ mail: () => ({ kind: 'pass', edits: one }) }),
      agent({ mail: () => ({ kind: 'pass', edits: two }) }),
    ])
    expect(await run.ask('mail', NOBODY)).toEqual({ ...GO, edits: [one, two] })
  })

  test('each agent is told of the end, also behind one that fails there', () => {
    const heard: string[] = []
    const broken = agent({
      end() {
        throw new Error('broken')
      },
    })
    const { run, lines } = stage([broken, witness('second', heard)])
    run.end()
    expect(heard).toEqual(['second end'])
    expect(lines).toEqual([expect.objectContaining({ level: 'error', agent: 'test' })])
  })
})

describe('exemption', () => {
  test('from an opinion: anti-spam agents are not asked from then on, others are', async () => {
    const heard: string[] = []
    const { run } = stage([
      agent({ connect: () => ({ kind: 'exempt' }) }),
      witness('spam', heard),
      witness('other', heard, { antiSpam: false }),
    ])
    await run.ask('connect', { greeting: true })
    await run.ask('mail', NOBODY)
    expect(heard).toEqual(['other connect', 'other mail'])
  })

  test('from a permission, as soon as the client has it', async () => {
    const heard: string[] = []
    let signedIn = false
    const session = {
      get bypassesAntiSpam() {
        return signedIn
      },
    }
    const { run } = stage([witness('spam', heard), witness('other', heard, { antiSpam: false })], session)
    await run.ask('ehlo', HELLO)
    signedIn = true
    await run.ask('mail', NOBODY)
    expect(heard).toEqual(['spam ehlo', 'other ehlo', 'other mail'])
  })

  test('nobody needs the body for agents that are not asked', () => {
    const reader = [agent({ dataEnd: () => ({ kind: 'pass' }) })]
    expect(stage(reader).run.needsBody()).toBe(true)
    expect(stage(reader, { bypassesAntiSpam: true }).run.needsBody()).toBe(false)
    expect(stage([agent({ headers: () => ({ kind: 'pass' }) })]).run.needsBody()).toBe(false)
  })
})

const AWAY = [
  ['a deadline, pass', never, 'pass', GO, 'deadline'],
  ['a throw, pass', () => raise(), 'pass', GO, 'failed'],
  ['a rejection, pass', () => Promise.reject(new Error('broken')), 'pass', GO, 'failed'],
  ['no opinion at all, pass', () => undefined as unknown as Opinion, 'pass', GO, 'failed'],
  [
    'a deadline, tempfail',
    never,
    'tempfail',
    { kind: 'refuse', close: false, reply: expect.objectContaining({ code: 451 }) },
    'deadline',
  ],
  [
    'a throw, tempfail',
    () => raise(),
    'tempfail',
    { kind: 'refuse', close: false, reply: expect.objectContaining({ code: 451 }) },
    'failed',
  ],
] as const

function raise(): never {
  throw new Error('broken')
}

describe('an agent that does not answer', () => {
  test.each(AWAY)(
    '%s: what was stated holds, and the log has one line of it',
    async (_label, handler, whenAway, expected, why) => {
      const { run, clock, lines } = stage([agent({ mail: handler }, { whenAway })])
      const verdict = run.ask('mail', NOBODY)
      await clock.advance(5_200)
      expect(await verdict).toEqual(expected)
      expect(lines.filter(({ level }) => level === 'warn')).toEqual([
        expect.objectContaining({ message: 'an agent gave no answer', agent: 'test', event: 'mail', why }),
      ])
    },
  )

  test('is waited for until its deadline and no longer', async () => {
    const { run, clock } = stage([agent({ mail: never }, { deadline: 30_000 })])
    let over = false
    void Promise.resolve(run.ask('mail', NOBODY)).then(() => {
      over = true
    })
    await clock.advance(29_900)
    expect(over).toBe(false)
    await clock.advance(300)
    expect(over).toBe(true)
  })

  test('before MAIL has the client come again later: 421, and the end', async () => {
    const { run, clock } = stage([agent({ connect: never }, { whenAway: 'tempfail' })])
    const verdict = run.ask('connect', { greeting: true })
    await clock.advance(5_200)
    expect(await verdict).toMatchObject({ kind: 'refuse', close: true, reply: { code: 421 } })
  })

  test('what it says too late is dropped, and it has been told to stop', async () => {
    let answer: (opinion: Opinion) => void = () => {}
    let patience: Cancellation | undefined
    const late = agent({
      mail: (_facts, signal) => {
        patience = signal
        return new Promise((resolve) => (answer = resolve))
      },
    })
    const { run, clock } = stage([late])
    const verdict = run.ask('mail', NOBODY)
    await clock.advance(5_200)
    answer(refusing())
    expect(await verdict).toEqual(GO)
    expect(patience?.reason).toBe('deadline')
    expect(await run.ask('ehlo', HELLO)).toEqual(GO)
  })

  test('what it says too late does not disturb the wait for another one', async () => {
    let answer: (opinion: Opinion) => void = () => {}
    const late = agent({ mail: () => new Promise((resolve) => (answer = resolve)), ehlo: never }, { deadline: 5_000 })
    const { run, clock, signal } = stage([late])
    const first = run.ask('mail', NOBODY)
    await clock.advance(5_200)
    await first
    const second = run.ask('ehlo', HELLO)
    answer(refusing())
    await clock.advance(100)
    signal.abort('closed')
    expect(await second).toEqual({ kind: 'gone' })
  })

  test('does not keep the next one from its own time', async () => {
    const { run, clock, lines } = stage([
      agent({ mail: never }, { name: 'one' }),
      agent({ mail: never }, { name: 'two' }),
    ])
    const verdict = run.ask('mail', NOBODY)
    await clock.advance(10_400)
    expect(await verdict).toEqual(GO)
    expect(lines.map((line) => line['agent'])).toEqual(['one', 'two'])
    expect(clock.pending).toBe(0)
  })
})

test('the end of the session ends the wait, and reaches the agent', async () => {
  let patience: Cancellation | undefined
  const waiting = agent({
    mail: (_facts, signal) => {
      patience = signal
      return never()
    },
  })
  const { run, clock, signal, lines } = stage([waiting])
  const verdict = run.ask('mail', NOBODY)
  signal.abort('closed')
  expect(await verdict).toEqual({ kind: 'gone' })
  expect(patience?.reason).toBe('closed')
  expect(lines).toEqual([])
  expect(clock.pending).toBe(0)
})

test('the slot of the session is free again after each answer', async () => {
  const { run, signal } = stage([agent({ mail: async () => ({ kind: 'pass' }) })])
  await run.ask('mail', NOBODY)
  expect(signal.onAbort).toBeUndefined()
  await run.ask('mail', NOBODY)
})

describe('audit', () => {
  test('says what it would have done, and changes nothing', async () => {
    const heard: string[] = []
    const watching = agent(
      {
        connect: () => ({ kind: 'exempt' }),
        mail: refusing,
        headers: () => ({ kind: 'pass', edits: prepending('X-One: 1\r\n') }),
        dataEnd: () => ({ kind: 'pass', edits: { remove: () => true, prepend: [] } }),
      },
      { name: 'watching', audit: true },
    )
    const { run, lines } = stage([watching, witness('spam', heard)])
    expect(await run.ask('connect', { greeting: true })).toEqual(GO)
    expect(await run.ask('mail', NOBODY)).toEqual(GO)
    const envelope = { sender: undefined, recipients: [] }
    const fields = parseHeader(Buffer.from('Subject: x\r\n'), 'plain')
    const message: SpooledMessage = { size: 0, read: async () => 'done', start: async () => Buffer.alloc(0) }
    expect(await run.ask('headers', { envelope, fields, notes: run.notes })).toEqual(GO)
    expect(await run.ask('dataEnd', { envelope, fields, notes: run.notes, message })).toEqual(GO)
    expect(heard).toEqual(['spam connect', 'spam mail', 'spam headers', 'spam dataEnd'])
    expect(lines).toEqual([
      expect.objectContaining({
        message: 'an agent only watches',
        agent: 'watching',
        event: 'connect',
        opinion: 'exempt',
      }),
      expect.objectContaining({ event: 'mail', opinion: 'refuse', reply: '550 5.7.1 Not wanted' }),
      expect.objectContaining({ event: 'headers', opinion: 'pass', fields: ['X-One: 1\r\n'] }),
    ])
  })

  test('an absent agent that only watches defers nobody', async () => {
    const { run } = stage([agent({ mail: () => raise() }, { audit: true, whenAway: 'tempfail' })])
    expect(await run.ask('mail', NOBODY)).toEqual(GO)
  })
})

describe('what becomes of a finding', () => {
  const against: Opinion = { kind: 'against', reply: REFUSAL, reason: 'looks bad' }
  const finding = (more: Partial<Omit<Agent, 'open'>>) => agent({ mail: () => against }, { name: 'strict', ...more })

  test.each<[string, Partial<Omit<Agent, 'open'>>, object, string]>([
    ['reject', { action: 'reject' }, { kind: 'refuse', reply: REFUSAL, close: false }, 'an agent refused'],
    [
      'tempfail',
      { action: 'tempfail' },
      { kind: 'refuse', reply: say(451, '4.7.1', 'Not wanted'), close: false },
      'an agent put off',
    ],
    ['tag', { action: 'tag' }, GO, 'an agent marked'],
    ['quarantine', { action: { quarantine: 'spam@test.lan' } }, GO, 'an agent sent a message to quarantine'],
    ['only audit', { action: 'reject', audit: true }, GO, 'an agent only watches'],
  ])('%s', async (_label, more, verdict, line) => {
    const { run, lines } = stage([finding(more)])
    expect(await run.ask('mail', NOBODY)).toEqual(verdict)
    expect(lines).toEqual([
      expect.objectContaining({ message: line, agent: 'strict', event: 'mail', reason: 'looks bad' }),
    ])
  })

  test('before the greeting who is to come again is told with 421 (RFC 5321 section 3.8)', async () => {
    const { run } = stage([agent({ connect: () => against }, { action: 'tempfail' })])
    expect(await run.ask('connect', { greeting: true })).toMatchObject({ reply: { code: 421, enhanced: '4.7.1' } })
  })

  test('a temporary refusal stays what it is', async () => {
    const later = { ...against, reply: say(450, '4.2.0', 'Come again') } as const
    const { run } = stage([agent({ mail: () => later }, { action: 'tempfail' })])
    expect(await run.ask('mail', NOBODY)).toMatchObject({ reply: { code: 450, enhanced: '4.2.0' } })
  })

  const marks = ({ run }: ReturnType<typeof stage>) => run.notes.edits(() => ['alice@test.lan']).prepend

  test('a mark on the client is on each of its messages, one on a message on no other', async () => {
    const staged = stage([
      agent({ connect: () => against, ehlo: () => against }, { name: 'client', action: 'tag', scl: 4 }),
      agent({ rcpt: () => against }, { name: 'message', action: 'tag', scl: 6 }),
    ])
    const { run } = staged
    await run.ask('connect', { greeting: true })
    await run.ask('mail', NOBODY)
    expect(marks(staged)).toEqual(['X-Portico-Finding: client; looks bad\r\n', 'X-MS-Exchange-Organization-SCL: 4\r\n'])
    const rcpt = { sender: undefined, recipient: recipient('a@test.lan'), parameters: new Map(), accepted: 0 }
    await run.ask('rcpt', rcpt)
    await run.ask('rcpt', rcpt)
    expect(marks(staged)).toEqual([
      'X-Portico-Finding: client; looks bad\r\n',
      'X-Portico-Finding: message; looks bad\r\n',
      'X-MS-Exchange-Organization-SCL: 6\r\n',
    ])
    await run.ask('mail', NOBODY)
    expect(marks(staged)).toHaveLength(2)
  })

  test('what was found of a name is forgotten with the next EHLO', async () => {
    let bad = true
    const staged = stage([agent({ ehlo: () => (bad ? against : PASS) }, { action: 'tag' })])
    await staged.run.ask('ehlo', HELLO)
    bad = false
    await staged.run.ask('ehlo', HELLO)
    await staged.run.ask('mail', NOBODY)
    expect(marks(staged)).toEqual([])
  })

  test('a message for quarantine is kept, and says why and whom it was for', async () => {
    const staged = stage([finding({ action: { quarantine: 'spam@test.lan' } })])
    expect(staged.run.needsBody()).toBe(false)
    await staged.run.ask('mail', NOBODY)
    expect(staged.run.needsBody()).toBe(true)
    expect(marks(staged)).toEqual([
      'X-Portico-Quarantine: strict; looks bad\r\n',
      'X-Portico-Recipient: alice@test.lan\r\n',
      'X-Portico-Finding: strict; looks bad\r\n',
    ])
  })

  test('who may send messages to quarantine when their header is here has them kept from the start', () => {
    const quarantine = { quarantine: 'spam@test.lan' }
    expect(stage([agent({ headers: () => PASS }, { action: quarantine })]).run.needsBody()).toBe(true)
    expect(stage([agent({ headers: () => PASS }, { action: quarantine, audit: true })]).run.needsBody()).toBe(false)
    expect(stage([agent({ headers: () => PASS }, { action: 'tag' })]).run.needsBody()).toBe(false)
  })

  test('other agents hear of it, and of how the message ended', async () => {
    const heard: unknown[] = []
    const listener = agent({
      heard: (one) => void heard.push(one),
      concluded: (accepted, { findings }) => void heard.push([accepted, findings.length]),
    })
    const { run } = stage([listener, finding({ action: 'tag' })])
    await run.ask('mail', NOBODY)
    run.concluded(true)
    expect(heard).toEqual([{ agent: 'strict', event: 'mail', reason: 'looks bad', refused: false }, [true, 1]])
  })

  test('those who look for spam hear nothing of clients that they are not asked about', async () => {
    const heard: string[] = []
    const told = (what: string) => () => void heard.push(what)
    const handlers = { heard: told('heard'), unknown: told('unknown'), concluded: told('concluded') }
    const { run } = stage([agent(handlers), finding({ antiSpam: false })], { bypassesAntiSpam: true })
    expect(await run.ask('mail', NOBODY)).toMatchObject({ kind: 'refuse' })
    run.unknown(recipient('nobody@test.lan'))
    run.concluded(false)
    expect(heard).toEqual([])
  })

  test('an agent that fails there fails alone', async () => {
    const { run, lines } = stage([
      agent({ heard: () => raise(), concluded: () => raise() }),
      finding({ action: 'tag' }),
    ])
    expect(await run.ask('mail', NOBODY)).toEqual(GO)
    run.concluded(true)
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(2)
  })
})

describe('the confidence level of a message', () => {
  const noting = (notes: Notes) => agent({ mail: () => ({ kind: 'pass', notes }) })
  test.each<[string, readonly Notes[], number | undefined]>([
    ['nobody says anything', [{}], undefined],
    ['the highest word counts', [{ scl: 3 }, { scl: 6 }, { scl: 1 }], 6],
    ['-1 where nobody says more', [{ scl: -1 }], -1],
    ['what is set holds', [{ scl: 8 }, { setScl: 0 }, { scl: 5 }], 0],
  ])('%s', async (_label, notes, expected) => {
    const { run } = stage(notes.map(noting))
    await run.ask('mail', NOBODY)
    expect(run.notes.scl).toBe(expected)
  })
})
