// SPDX-License-Identifier: MIT
import type { Socket } from 'node:net'
import { systemClock } from '@portico/base'
import { createTimerWheel } from '@portico/net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DataEndFacts } from '../../../src/agents/agent.js'
import { Marks } from '../../../src/agents/marks.js'
import { STEPS } from '../../../src/agents/milter/constants.js'
import { milter } from '../../../src/agents/milter/milter.js'
import { GO, type Go, type Verdict } from '../../../src/agents/run-agents.js'
import { editHeader, parseHeader } from '../../../src/message/header-fields.js'
import { Spool } from '../../../src/message/spool.js'
import { SpoolBudget } from '../../../src/message/spool-budget.js'
import { kept, made, recipient, stage } from '../support.js'
import { type FakeMilter, fakeMilter, type Script, terms } from './fake-milter.js'

const wheel = createTimerWheel(systemClock)
afterAll(() => wheel.close())

const HEADER = 'From: eve@far.example\r\nSubject:  hi\r\n there\r\n\r\n'
const MAIL = `${HEADER}${'Hello\r\n'.repeat(30_000)}`
const FIELDS = parseHeader(Buffer.from(HEADER), 'plain')
const BODY = MAIL.length - HEADER.length

/** A session of one client with a milter, command by command. */
function client(far: FakeMilter, written: object = {}, session: object = {}) {
  const agent = made(milter, { endpoint: far.endpoint, deadline: '20s', ...written }, { wheel, clock: systemClock })
  const staged = stage([agent], session, wheel)
  const { run } = staged
  const sender = recipient('eve@far.example')
  return {
    ...staged,
    connect: () => run.ask('connect', { greeting: true }),
    hello: (domain = 'pc.far.example') => run.ask('ehlo', { kind: 'ehlo', domain }),
    mail: () =>
      run.ask('mail', {
        sender,
        parameters: new Map([
          ['SIZE', '10'],
          ['BODY', undefined],
        ]),
      }),
    rcpt: (text: string) => run.ask('rcpt', { sender, recipient: recipient(text), parameters: new Map(), accepted: 0 }),
    message: (text: string, ...recipients: string[]) => run.ask('dataEnd', facts(text, recipients)),
  }
}

function facts(text: string, recipients: readonly string[]): DataEndFacts {
  return {
    envelope: { sender: recipient('eve@far.example'), recipients: recipients.map(recipient) },
    fields: FIELDS,
    notes: new Marks(),
    message: kept(text, 65_536),
  }
}

/** The whole way of a message to one recipient. */
async function sent(far: FakeMilter, text = MAIL, written: object = {}) {
  const one = client(far, written)
  for (const step of [one.connect, one.hello, one.mail]) expect(await step()).toEqual(GO)
  expect(await one.rcpt('alice@test.lan')).toEqual(GO)
  const verdict = await one.message(text, 'alice@test.lan')
  return { ...one, verdict }
}

/** Says something to one command. */
function saying(command: string, ...answers: string[]): Script {
  return (asked) => (asked === command ? answers : undefined)
}

function headerAfter(verdict: Verdict): string {
  const { edits } = verdict as Go
  return Buffer.concat(editHeader(Buffer.from(HEADER), FIELDS, edits, 'plain')).toString()
}

describe('what a milter is told', () => {
  test('everything, in the order of the protocol', async () => {
    await using far = await fakeMilter()
    const { run } = await sent(far)
    run.end()
    const [connect, helo, mail, rcpt] = far.heard.filter((line) => 'CHMR'.includes(line[0] ?? ''))
    expect([connect, helo, mail, rcpt]).toEqual([
      'C[192.0.2.7]|4\x9c@192.0.2.7|',
      'Hpc.far.example|',
      'M<eve@far.example>|SIZE=10|BODY|',
      'R<alice@test.lan>|',
    ])
    expect(far.heard.filter((line) => 'LN'.includes(line[0] ?? ''))).toEqual([
      'LFrom|eve@far.example|',
      'LSubject|hi\n there|',
      'N',
    ])
    const chunks = far.heard.filter((line) => line.startsWith('B'))
    expect(chunks.map((chunk) => chunk.slice(1)).join('')).toBe(MAIL.slice(-BODY))
    expect(chunks.every((chunk) => chunk.length <= 65_536)).toBe(true)
    expect(far.heard.map((line) => line[0]).join('')).toMatch(/^ODCDHDMDRDTLLDNB+DEQ?$/)
  })

  test('macros before the commands that they belong to', async () => {
    await using far = await fakeMilter()
    await sent(far)
    expect(far.heard.filter((line) => line.startsWith('D'))).toEqual([
      expect.stringMatching(
        /^DCj\|portico\.test\.lan\|_\|\[192\.0\.2\.7\]\|.*\{daemon_name\}\|inbound\|.*\{client_addr\}\|192\.0\.2\.7\|/,
      ),
      'DH',
      expect.stringContaining('DMi|s1|{mail_addr}|eve@far.example|{mail_host}|far.example|'),
      'DRi|s1|{rcpt_addr}|alice@test.lan|',
      ...['DTi|s1|', 'DNi|s1|', 'DEi|s1|'],
    ])
  })

  test('who has signed in', async () => {
    await using far = await fakeMilter()
    const one = client(far, {}, { user: 'bjørn' })
    await one.mail()
    expect(far.heard.find((line) => line.startsWith('DM'))).toContain(
      `{auth_authen}|${Buffer.from('bjørn').toString('latin1')}|`,
    )
  })

  test('nothing that it can do without', async () => {
    const { noConnect, noHelo, noMail, noRcpt, noData, noBody, noHeaders, noEndOfHeaders } = STEPS
    const steps = noConnect | noHelo | noMail | noRcpt | noData | noBody | noHeaders | noEndOfHeaders
    await using far = await fakeMilter(undefined, steps)
    expect((await sent(far)).verdict).toEqual(GO)
    expect(far.heard.map((line) => line[0]).join('')).toBe('ODE')
  })

  test('without waiting where it does not answer, and with the white space that it wants', async () => {
    const {
      quietConnect,
      quietHelo,
      quietMail,
      quietRcpt,
      quietData,
      quietHeader,
      quietEndOfHeaders,
      quietBody,
      leadingSpace,
    } = STEPS
    const steps =
      quietConnect |
      quietHelo |
      quietMail |
      quietRcpt |
      quietData |
      quietHeader |
      quietEndOfHeaders |
      quietBody |
      leadingSpace
    await using far = await fakeMilter((command) => ('OE'.includes(command) ? undefined : []), steps)
    expect((await sent(far)).verdict).toEqual(GO)
    expect(far.heard).toContain('LSubject|  hi\n there|')
    expect(
      far.heard
        .filter((line) => line.startsWith('B'))
        .map((chunk) => chunk.slice(1))
        .join(''),
    ).toHaveLength(BODY)
  })

  test('of each message of a session, over one connection', async () => {
    await using far = await fakeMilter()
    const one = await sent(far)
    await one.mail()
    await one.mail()
    await one.rcpt('bob@test.lan')
    expect(await one.message(MAIL, 'bob@test.lan')).toEqual(GO)
    // The second MAIL began anew what the first had begun.
    expect(
      far.heard
        .map((line) => line[0])
        .join('')
        .replace(/[DLB]/g, ''),
    ).toBe('OCHMRTNEMAMRTNE')
    expect(far.connections()).toBe(1)
  })

  test('anew of those who get the message, where others were refused behind its back', async () => {
    await using far = await fakeMilter()
    const one = client(far)
    await one.mail()
    for (const name of ['alice', 'gone', 'bob']) await one.rcpt(`${name}@test.lan`)
    await one.message(MAIL, 'alice@test.lan', 'bob@test.lan')
    const told = far.heard.filter((line) => 'AMR'.includes(line[0] ?? '')).map((line) => line.slice(0, 7))
    expect(told).toEqual(['M<eve@f', 'R<alice', 'R<gone@', 'R<bob@t', 'A', 'M<eve@f', 'R<alice', 'R<bob@t'])
  })

  test('that it is over', async () => {
    await using far = await fakeMilter()
    const one = await sent(far)
    one.run.end()
    await expect.poll(() => far.heard.at(-1)).toBe('Q')
  })
})

describe('what it says', () => {
  const refusal = (code: number, enhanced: string, words: string) => ({
    kind: 'refuse',
    reply: { code, enhanced, lines: [words] },
  })

  test.each([
    ['a client', 'C', 'connect', 'r', refusal(554, '5.7.1', 'Refused by a content filter')],
    ['what a client calls itself', 'H', 'hello', 'y550 5.7.1 No\0', refusal(550, '5.7.1', 'No')],
    ['a sender', 'M', 'mail', 't', refusal(451, '4.7.1', 'Put off by a content filter, try again later')],
    ['a recipient', 'R', 'rcpt', 'r', refusal(550, '5.7.1', 'Recipient refused by a content filter')],
    [
      'a client, for a while',
      'C',
      'connect',
      '4',
      { ...refusal(421, '4.3.2', 'Service not available, try again later'), close: true },
    ],
  ] as const)('against %s', async (_label, command, step, answer, expected) => {
    await using far = await fakeMilter(saying(command, answer))
    const one = client(far)
    expect(await (step === 'rcpt' ? one.rcpt('alice@test.lan') : one[step]())).toMatchObject(expected)
  })

  test.each([
    ['at DATA', 'T'],
    ['at a header field', 'L'],
    ['behind the header section', 'N'],
    ['at a piece of the body', 'B'],
    ['at the end', 'E'],
  ])('against a message, %s', async (_label, command) => {
    await using far = await fakeMilter(saying(command, 'p', 'p', 'y554 5.7.1 Spam\0'))
    const { verdict, lines } = await sent(far)
    expect(verdict).toMatchObject(refusal(554, '5.7.1', 'Spam'))
    expect(lines.at(-1)).toMatchObject({ message: 'an agent refused', agent: 'milter', reason: '554 5.7.1 Spam' })
  })

  test('a finding is what the site makes of it, and the milter is not asked about that message again', async () => {
    await using far = await fakeMilter(saying('M', 'r'))
    const one = client(far, { action: 'tag', name: 'first' })
    expect(await one.mail()).toEqual(GO)
    expect(await one.rcpt('alice@test.lan')).toEqual(GO)
    expect(await one.message(MAIL, 'alice@test.lan')).toEqual(GO)
    expect(one.run.notes.findings).toMatchObject([
      { agent: 'milter first', reason: '554 5.7.1 Refused by a content filter' },
    ])
    expect(far.heard.map((line) => line[0]).join('')).toBe('ODCDM')
  })

  test('that a client is good, and it is not asked again', async () => {
    await using far = await fakeMilter(saying('H', 'a'))
    expect((await sent(far)).verdict).toEqual(GO)
    expect(far.heard.map((line) => line[0]).join('')).toBe('ODCDH')
  })

  test('that it has seen enough of a body', async () => {
    await using far = await fakeMilter(saying('B', 's'), STEPS.skip)
    expect((await sent(far)).verdict).toEqual(GO)
    expect(far.heard.filter((line) => line.startsWith('B'))).toHaveLength(1)
    expect(far.heard.at(-1)).toBe('E')
  })

  test('that a message is to vanish: a finding, or what the site allows', async () => {
    await using far = await fakeMilter(saying('R', 'd'))
    expect((await sent(far)).verdict).toMatchObject({ kind: 'refuse', reply: { code: 554 } })
    expect((await sent(far, MAIL, { discard: 'allow' })).verdict).toMatchObject({ kind: 'go', discard: true })
  })

  test('that a message is to be looked at: there, or later', async () => {
    await using far = await fakeMilter(saying('E', 'qodd\0', 'a'))
    const { run, verdict } = await sent(far, MAIL, { action: { quarantine: 'guard@test.lan' } })
    expect(verdict).toEqual(GO)
    expect(run.notes.quarantine).toMatchObject({ address: 'guard@test.lan', reason: 'odd' })
    expect((await sent(far)).verdict).toMatchObject({ kind: 'refuse', reply: { code: 451 } })
  })
})

describe('what it changes', () => {
  test('header fields and recipients', async () => {
    const place = '\0\0\0\x01'
    const changes = ['hX-New\0new\0', `m${place}Subject\0other\0`, '+<carol@test.lan>\0', '-<alice@test.lan>\0']
    await using far = await fakeMilter(saying('E', ...changes, 'c'))
    const { verdict } = await sent(far)
    expect(headerAfter(verdict)).toBe('Subject: other\r\nX-New: new\r\nFrom: eve@far.example\r\n\r\n')
    expect((verdict as Go).envelope).toMatchObject([
      { add: [{ text: 'carol@test.lan' }], drop: [{ text: 'alice@test.lan' }] },
    ])
  })

  test('no recipient is left: it vanishes only where the site lets messages vanish', async () => {
    await using far = await fakeMilter(saying('E', '-<alice@test.lan>\0', 'c'))
    expect((await sent(far)).verdict).toMatchObject({ kind: 'refuse', reply: { code: 554 } })
    expect((await sent(far, MAIL, { discard: 'allow' })).verdict).toEqual({ ...GO, discard: true })
  })

  test('a recipient that it adds and takes back, or that is there already, changes nothing', async () => {
    const changes = ['+<carol@test.lan>\0', '-<carol@test.lan>\0', '-<alice@test.lan>\0', '+<alice@test.lan>\0']
    await using far = await fakeMilter(saying('E', ...changes, 'c'))
    expect((await sent(far)).verdict).toEqual(GO)
  })

  test('the body, in pieces, whose lines end as lines have to', async () => {
    await using far = await fakeMilter(saying('E', 'bone\r', 'b\ntwo\nthree', 'b\r\n', 'c'))
    const { verdict, signal } = await sent(far)
    const [rewrite] = (verdict as Go).rewrites
    await using spool = new Spool({ budget: new SpoolBudget(), maxSize: 1_000 })
    const from = {
      section: Buffer.from(HEADER),
      fields: parseHeader(Buffer.from(HEADER), 'plain'),
      message: kept(MAIL),
    }
    const written = await rewrite?.(from, () => spool, signal)
    expect((await written?.body.start(100))?.toString()).toBe('one\r\ntwo\r\nthree\r\n')
  })

  test('what it changed of a message that it refuses is forgotten', async () => {
    await using far = await fakeMilter(saying('E', 'hX-New\0new\0', 'r'))
    expect((await sent(far)).verdict).toMatchObject({ kind: 'refuse' })
  })
})

describe('a milter that breaks off or breaks the rules', () => {
  const gone = (socket: Socket, lastWords = ''): readonly string[] => {
    if (lastWords === '') socket.destroy()
    else socket.end(lastWords)
    return []
  }
  const flood = Array.from({ length: 70 }, () => `b${'x'.repeat(65_000)}`)
  const raw =
    (octets: Buffer | string): Script =>
    (command, _text, socket) => {
      if (command !== 'E') return undefined
      socket.write(octets)
      return []
    }

  test.each<[string, Script]>([
    ['closes at once', (_command, _text, socket) => gone(socket)],
    ['closes in the middle of a message', (command, _text, socket) => (command === 'B' ? gone(socket) : undefined)],
    ['closes instead of its last word', (command, _text, socket) => (command === 'E' ? gone(socket) : undefined)],
    ['sends a frame without end', raw(Buffer.from([255, 255, 255, 255, 99]))],
    ['sends an empty frame', raw(Buffer.alloc(4))],
    [
      'sends half a frame and closes',
      (command, _text, socket) => (command === 'E' ? gone(socket, '\0\0\0\x05y5') : undefined),
    ],
    ['sends no milter protocol', raw('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['sends something else', saying('E', 'z')],
    ['says that the connection failed', saying('E', 'f')],
    ['wants another sender', saying('E', 'e<a@b.example>\0', 'c')],
    ['changes before the end', saying('N', 'hX-New\0new\0', 'c')],
    ['wants a body without end', saying('E', ...flood, 'c')],
    ['wants a recipient that is none', saying('E', '+<nobody\0', 'c')],
    ['does not agree', saying('O', terms(0x1ff))],
    [
      'changes what was not agreed upon',
      (command) => (command === 'O' ? [terms(0)] : command === 'E' ? ['hX-New\0new\0', 'c'] : undefined),
    ],
  ])('%s: mail waits, or goes on where the site wants that', async (_label, script) => {
    await using far = await fakeMilter(script)
    for (const [whenAway, kind] of [
      ['tempfail', 'refuse'],
      ['pass', 'go'],
    ] as const) {
      const one = client(far, { whenAway })
      await one.mail()
      await one.rcpt('alice@test.lan')
      const verdict = await one.message(MAIL, 'alice@test.lan')
      expect(verdict.kind).toBe(kind)
      if (verdict.kind === 'go') expect(verdict).toEqual(GO)
      expect(one.lines).toContainEqual(
        expect.objectContaining({ message: 'an agent gave no answer', agent: 'milter', whenAway }),
      )
    }
  })

  test('says for ever that it is still thinking: its time is up', async () => {
    await using far = await fakeMilter((command, _text, socket) => {
      if (command !== 'E') return undefined
      const timer = setInterval(() => socket.write('\0\0\0\x01p'), 5)
      socket.once('close', () => clearInterval(timer))
      return []
    })
    const { verdict, lines } = await sent(far, MAIL, { deadline: '300ms' })
    expect(verdict).toMatchObject({ kind: 'refuse', reply: { code: 451 } })
    expect(lines).toContainEqual(expect.objectContaining({ message: 'an agent gave no answer', why: 'deadline' }))
  })

  test('takes nothing more of a message: its time is up', async () => {
    await using far = await fakeMilter((command, _text, socket) => {
      if (command === 'N') socket.pause()
      return undefined
    }, STEPS.quietBody)
    const { verdict } = await sent(far, `${HEADER}${'x'.repeat(20_000_000)}`, { deadline: '1s' })
    expect(verdict).toMatchObject({ kind: 'refuse', reply: { code: 451 } })
  })

  test('is asked again at the next message', async () => {
    let down = true
    await using far = await fakeMilter((_command, _text, socket) => {
      if (!down) return undefined
      socket.destroy()
      return []
    })
    const one = client(far)
    expect(await one.mail()).toMatchObject({ kind: 'refuse', reply: { code: 451 } })
    down = false
    expect(await one.mail()).toEqual(GO)
    expect(far.heard.map((line) => line[0]).join('')).toBe('OODCDM')
  })

  test('is missed once where the site lets mail pass, and again when the message is there', async () => {
    await using far = await fakeMilter((_command, _text, socket) => gone(socket))
    const one = client(far, { whenAway: 'pass' })
    for (const step of [one.connect, one.hello]) await step()
    expect(one.lines).toHaveLength(1)
    for (const name of ['a', 'b', 'c']) await one.rcpt(`${name}@test.lan`)
    await one.message(MAIL, 'a@test.lan')
    expect(one.lines).toHaveLength(2)
  })
})

describe('where nobody listens', () => {
  let gone: string
  beforeAll(async () => {
    const far = await fakeMilter()
    gone = far.endpoint
    await far[Symbol.asyncDispose]()
  })

  test('a client is told to come again', async () => {
    const agent = made(milter, { endpoint: gone }, { wheel, clock: systemClock })
    const { run } = stage([agent], {}, wheel)
    expect(await run.ask('connect', { greeting: true })).toMatchObject({ kind: 'refuse', reply: { code: 421 } })
  })
})
