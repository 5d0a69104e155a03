// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { systemClock } from '@portico/base'
import { createTimerWheel } from '@portico/net'
import { afterAll, describe, expect, test } from 'vitest'
import type { DataEndFacts } from '../../../src/agents/agent.js'
import { clamav } from '../../../src/agents/clamav/clamav.js'
import { readScanReply } from '../../../src/agents/clamav/reply.js'
import { Marks } from '../../../src/agents/marks.js'
import { GO } from '../../../src/agents/run-agents.js'
import { parseHeader } from '../../../src/message/header-fields.js'
import { kept, listeningLog, made, recipient, stage } from '../support.js'

const wheel = createTimerWheel(systemClock)
afterAll(() => wheel.close())

const MAIL = `Subject: hi\r\n\r\n${'Hello\r\n'.repeat(50_000)}`

function facts(text: string): DataEndFacts {
  return {
    envelope: { sender: recipient('eve@far.example'), recipients: [recipient('alice@test.lan')] },
    fields: parseHeader(Buffer.from('Subject: hi\r\n\r\n'), 'plain'),
    notes: new Marks(),
    message: kept(text, 30_000),
  }
}

interface FakeClamd extends AsyncDisposable {
  readonly endpoint: string
  /** What it was sent, connection by connection. */
  readonly sent: string[]
}

/** `answer` is called whenever something has come. */
async function fakeClamd(answer: (socket: Socket, sent: string) => void): Promise<FakeClamd> {
  const sent: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const at = sent.push('') - 1
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (piece) => {
      sent[at] += piece.toString('latin1')
      answer(socket, sent[at] ?? '')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    sent,
    endpoint: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Answers when the stream has ended. */
function atTheEnd(words: string) {
  return (socket: Socket, sent: string): void => {
    if (sent.endsWith('\0\0\0\0')) socket.end(words)
  }
}

async function judged(endpoints: readonly string[], written: object = {}, text = MAIL) {
  const log = listeningLog()
  const settings = { endpoints, deadline: '20s', ...written }
  const agent = made(clamav, settings, { wheel, log, clock: systemClock })
  const { run, lines } = stage([agent], { bypassesAntiSpam: true }, wheel)
  const ask = () => run.ask('dataEnd', facts(text))
  return { ask, verdict: await ask(), lines: [...lines, ...log.lines], notes: run.notes }
}

describe('an answer', () => {
  test.each([
    ['stream: OK', { kind: 'clean' }],
    ['stream: Eicar FOUND', { kind: 'found', signature: 'Eicar' }],
    ['stream: Odd name FOUND FOUND', { kind: 'found', signature: 'Odd name FOUND' }],
    ['stream: \x1bé FOUND', { kind: 'found', signature: '??' }],
    [`stream: ${'x'.repeat(500)} FOUND`, { kind: 'found', signature: 'x'.repeat(100) }],
    ['INSTREAM size limit exceeded. ERROR', { kind: 'too-big' }],
  ])('%j', (text, expected) => {
    expect(readScanReply(text)).toEqual(expected)
  })

  test.each(['', 'stream: OK ', 'OK', 'stream: ERROR', 'stream: Can’t allocate memory ERROR', 'UNKNOWN COMMAND'])(
    '%j is none',
    (text) => {
      expect(() => readScanReply(text)).toThrow(/^clamd answered: /)
    },
  )
})

describe('a message', () => {
  test('goes in chunks, each with its length, and an empty one ends it', async () => {
    await using far = await fakeClamd(atTheEnd('stream: OK\0'))
    expect((await judged([far.endpoint])).verdict).toEqual(GO)
    let rest = Buffer.from(far.sent[0] ?? '', 'latin1')
    expect(rest.toString('latin1', 0, 10)).toBe('zINSTREAM\0')
    rest = rest.subarray(10)
    let text = ''
    for (let length = rest.readUInt32BE(0); length > 0; length = rest.readUInt32BE(0)) {
      text += rest.toString('latin1', 4, 4 + length)
      rest = rest.subarray(4 + length)
    }
    expect(rest).toHaveLength(4)
    expect(text).toBe(MAIL)
  })

  test('with a virus is refused by its name, whoever sends it', async () => {
    await using far = await fakeClamd(atTheEnd('stream: Eicar FOUND\0'))
    const { verdict, lines } = await judged([far.endpoint])
    expect(verdict).toMatchObject({
      kind: 'refuse',
      reply: { code: 554, enhanced: '5.7.1', lines: ['Message contains Eicar'] },
    })
    expect(lines).toContainEqual(expect.objectContaining({ message: 'an agent refused', reason: 'Eicar' }))
  })

  test.each([
    ['reject', { kind: 'refuse', reply: { code: 552, enhanced: '5.3.4' } }],
    ['tempfail', { kind: 'refuse', reply: { code: 451, enhanced: '4.3.4' } }],
    ['pass', GO],
  ])('that nobody looks at because it is too big: %s', async (tooBig, expected) => {
    // It says so in the middle, and closes over what it has not read.
    await using far = await fakeClamd((socket) => {
      socket.write('INSTREAM size limit exceeded. ERROR\0', () => socket.destroy())
    })
    const text = `Subject: hi\r\n\r\n${'x'.repeat(5_000_000)}`
    for (const written of [{ tooBig }, { tooBig, maxSize: '1KiB' }]) {
      const { verdict, lines } = await judged([far.endpoint], written, text)
      expect(verdict).toMatchObject(expected)
      const unseen = lines.filter(({ message }) => message === 'a message was too big for ClamAV and went on unseen')
      expect(unseen).toHaveLength(tooBig === 'pass' ? 1 : 0)
    }
    expect(far.sent).toHaveLength(1)
  })

  test('that clamd has judged before its end is not sent any further', async () => {
    await using far = await fakeClamd((socket) => {
      socket.write('stream: Eicar FOUND\0')
      socket.pause()
    })
    const { verdict } = await judged([far.endpoint], {}, `Subject: hi\r\n\r\n${'x'.repeat(20_000_000)}`)
    expect(verdict).toMatchObject({ kind: 'refuse', reply: { code: 554 } })
  })
})

describe('a clamd that gives no answer', () => {
  test.each([
    ['closes at once', (socket: Socket) => void socket.destroy()],
    ['closes when all is there', (socket: Socket, sent: string) => void (sent.endsWith('\0\0\0\0') && socket.end())],
    ['cannot scan', atTheEnd('stream: Can not open file ERROR\0')],
    ['says without end', atTheEnd('x'.repeat(100_000))],
    ['is no clamd', atTheEnd('HTTP/1.1 400 Bad Request\r\n\r\n\0')],
  ])('%s: mail waits, goes on where the site wants that, or another one is asked', async (_label, answer) => {
    await using far = await fakeClamd(answer)
    const waits = await judged([far.endpoint])
    expect(waits.verdict).toMatchObject({ kind: 'refuse', reply: { code: 451 } })
    expect(waits.lines).toContainEqual(expect.objectContaining({ message: 'an agent gave no answer', agent: 'clamav' }))
    expect((await judged([far.endpoint], { whenAway: 'pass' })).verdict).toEqual(GO)
    await using other = await fakeClamd(atTheEnd('stream: Eicar FOUND\0'))
    const { ask, verdict } = await judged([far.endpoint, other.endpoint])
    expect(verdict).toMatchObject({ kind: 'refuse', reply: { code: 554 } })
    // The one that failed is left alone for a while.
    const before = far.sent.length
    await ask()
    expect(far.sent).toHaveLength(before)
    expect(other.sent).toHaveLength(2)
  })

  test('hangs: the other one has its share of the time', async () => {
    await using far = await fakeClamd((socket) => void socket.pause())
    await using other = await fakeClamd(atTheEnd('stream: OK\0'))
    expect((await judged([far.endpoint, other.endpoint], { deadline: '1s' })).verdict).toEqual(GO)
    expect((await judged([far.endpoint], { deadline: '300ms' })).verdict).toMatchObject({ reply: { code: 451 } })
  })
})
