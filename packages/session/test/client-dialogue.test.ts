// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import { connect } from 'node:net'
import { CancellationSource, systemClock } from '@portico/base'
import { createTimerWheel, type Leg, type Listener, listen, type PumpSink, type TimerWheel } from '@portico/net'
import { createFakeClock } from '@portico/testkit'
import { afterEach, expect, test } from 'vitest'
import { ClientDialogue, limitsSchema, type Session } from '../src/index.js'

const wheel = createTimerWheel(systemClock)
let listener: Listener | undefined
afterEach(async () => {
  await listener?.[Symbol.asyncDispose]()
  wheel.close()
})

/** A session on a real connection, and the client at its other end, which reads nothing yet. */
async function dialogueWithSilentClient(busy?: () => boolean, timers: TimerWheel = wheel) {
  let welcome: (leg: Leg) => void = () => {}
  const accepted = new Promise<Leg>((resolve) => {
    welcome = resolve
  })
  listener = await listen({
    name: 'test',
    at: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    tls: { mode: 'none' },
    proxyFrom: undefined,
    proxyHeaderMs: 1_000,
    maxConnections: 10,
    maxPerAddress: 10,
    tooBusy: new Uint8Array(0),
    wheel,
    onLeg: (leg) => welcome(leg),
    onRefused: () => {},
  })
  const client = connect(listener.port, '127.0.0.1')
  client.pause()
  const leg = await accepted
  const session = {
    leg,
    signal: new CancellationSource(),
    services: { wheel: timers, limits: limitsSchema.parse({}) },
    draining: false,
    onDrain: undefined,
  } as unknown as Session
  return { client, leg, session, dialogue: new ClientDialogue(session, busy) }
}

const REPLY = `${'x'.repeat(1022)}\r\n`

/** Answers every line with 1 KiB. Resolves with how many lines there were when the client has gone. */
async function answerAll(dialogue: ClientDialogue): Promise<number> {
  let lines = 0
  while ((await dialogue.readLine(100)).kind === 'line') {
    dialogue.write(REPLY)
    lines += 1
  }
  return lines
}

test('a client that sends commands and reads no replies is not heard further, until it reads them', async () => {
  const { client, leg, dialogue } = await dialogueWithSilentClient()
  const commands = 50_000
  const served = answerAll(dialogue)
  let most = 0
  const look = setInterval(() => {
    most = Math.max(most, leg.queued)
  }, 5)
  client.write('a NOOP\r\n'.repeat(commands))
  // The kernel takes some of the replies; then the front end stops, long before the 50 MB that were asked for.
  while (!leg.needsDrain) await new Promise((resolve) => setTimeout(resolve, 5))
  let received = 0
  client.on('data', (bytes: Buffer) => {
    received += bytes.length
    if (received === commands * REPLY.length) client.end()
  })
  client.resume()
  const lines = await served
  leg.destroy()
  await once(client, 'close')
  clearInterval(look)
  expect(lines).toBe(commands)
  expect(most).toBeLessThan(1024 * 1024)
})

test('a client that goes while its replies wait ends the dialogue', async () => {
  const { client, leg, session, dialogue } = await dialogueWithSilentClient()
  const served = answerAll(dialogue)
  client.write('a NOOP\r\n'.repeat(50_000))
  while (!leg.needsDrain) await new Promise((resolve) => setTimeout(resolve, 5))
  client.resetAndDestroy()
  expect(await served).toBeLessThan(50_000)
  expect(session.signal.reason).toBe('closed')
})

test.each([
  ['a1 NOOP\r\nnext', { kind: 'line', text: 'a1 NOOP', bareLf: false }],
  ['a1 NOOP\n', { kind: 'line', text: 'a1 NOOP', bareLf: true }],
  ['\r\n', { kind: 'line', text: '', bareLf: false }],
  ['\n', { kind: 'line', text: '', bareLf: true }],
  ['\ra\r\n', { kind: 'line', text: '\ra', bareLf: false }],
  [`${'x'.repeat(20)}\r\n`, { kind: 'line', text: 'x'.repeat(20), bareLf: false }],
  [`${'x'.repeat(21)}\r\n`, { kind: 'too-long' }],
  ['\x16\x03\x01', { kind: 'foreign' }],
  ['\x80', { kind: 'foreign' }],
  ['\0', { kind: 'foreign' }],
])('the first line of a session: %j', async (octets, expected) => {
  const { client, leg, dialogue } = await dialogueWithSilentClient()
  client.write(octets, 'latin1')
  expect(await dialogue.readFirstLine(20)).toEqual(expected)
  leg.destroy()
  client.destroy()
})

/** A dialogue whose time is ours, and everything that its client is told. */
async function timedDialogue({ busy, idleMs }: { readonly busy?: () => boolean; readonly idleMs?: number } = {}) {
  const clock = createFakeClock()
  const scene = await dialogueWithSilentClient(busy, createTimerWheel(clock))
  if (idleMs !== undefined) scene.dialogue.setIdle(idleMs)
  const told: string[] = []
  scene.client
    .setEncoding('latin1')
    .on('data', (text: string) => told.push(text))
    .resume()
  return { ...scene, clock, told: () => told.join('') }
}

test('replies are held back while more commands are here, and go out before the client is awaited', async () => {
  const { client, dialogue, leg, told } = await timedDialogue()
  client.write('one\r\ntwo\r\n')
  expect(await dialogue.readLine(100)).toEqual({ kind: 'line', text: 'one', bareLf: false })
  dialogue.hold('1\r\n')
  expect(leg.bytesWritten).toBe(0)
  expect((await dialogue.readLine(100)).kind).toBe('line')
  dialogue.hold('2\r\n')
  expect(leg.bytesWritten).toBe(0)
  const third = dialogue.readLine(100)
  expect(leg.bytesWritten).toBe(6)
  client.end()
  expect((await third).kind).toBe('gone')
  expect(dialogue.ended).toBe('client-closed')
  dialogue.hold('3\r\n')
  const closed = once(client, 'close')
  await dialogue.close()
  await closed
  expect(told()).toBe('1\r\n2\r\n3\r\n')
})

test('replies that are held back do not pile up, and keep their order', async () => {
  const { client, dialogue, leg } = await timedDialogue()
  client.write('one\r\ntwo\r\n')
  await dialogue.readLine(100)
  dialogue.hold('a'.repeat(4_096))
  expect(leg.bytesWritten).toBe(0)
  dialogue.hold('b')
  expect(leg.bytesWritten).toBe(4_097)
  dialogue.hold('c')
  dialogue.write('d')
  await dialogue.close()
  client.destroy()
  expect(leg.bytesWritten).toBe(4_099)
})

test.each<[string, Parameters<typeof timedDialogue>[0], number, string]>([
  ['a stranger', {}, 60_000, 'deadline'],
  ['a stranger for whom something is done', { busy: () => true }, 60_000, 'deadline'],
  ['a client that says nothing', { idleMs: 10_000 }, 10_000, 'idle'],
])('%s who is awaited too long is let go', async (_who, rules, ms, ended) => {
  const { client, dialogue, leg, clock } = await timedDialogue(rules)
  const line = dialogue.readLine(100)
  await clock.advance(ms - 2_000)
  expect(leg.state).toBe('open')
  expect(dialogue.ended).toBe('client-closed')
  await clock.advance(4_000)
  expect(await line).toEqual({ kind: 'gone' })
  expect(dialogue.ended).toBe(ended)
  expect(await dialogue.readLine(100)).toEqual({ kind: 'gone' })
  leg.destroy()
  client.destroy()
})

test('what is done for a client is not broken off when its time as a stranger ends, but it gets no more of it', async () => {
  let busy = true
  const { client, dialogue, leg, session, clock } = await timedDialogue({ busy: () => busy, idleMs: 10_000 })
  await clock.advance(90_000)
  expect(session.signal.aborted).toBe(false)
  expect(leg.state).toBe('open')
  busy = false
  expect(await dialogue.readLine(100)).toEqual({ kind: 'gone' })
  expect(dialogue.ended).toBe('deadline')
  leg.destroy()
  client.destroy()
})

test('who is admitted while it was done stays', async () => {
  const { client, dialogue, leg, clock } = await timedDialogue({ busy: () => true })
  await clock.advance(90_000)
  dialogue.admitted()
  client.write('still here\r\n')
  expect(await dialogue.readLine(100)).toMatchObject({ text: 'still here' })
  const next = dialogue.readLine(100)
  await clock.advance(3_600_000)
  client.write('and later\r\n')
  expect(await next).toMatchObject({ text: 'and later' })
  leg.destroy()
  client.destroy()
})

test('a node that leaves waits for what is being done for a client, and awaits the client no more', async () => {
  let busy = true
  const { client, dialogue, leg, session } = await timedDialogue({ busy: () => busy })
  client.write('one\r\ntwo\r\n')
  await dialogue.readLine(100)
  Object.assign(session, { draining: true })
  session.onDrain?.()
  expect(await dialogue.readLine(100)).toMatchObject({ text: 'two' })
  busy = false
  expect(await dialogue.readLine(100)).toEqual({ kind: 'gone' })
  expect(dialogue.ended).toBe('draining')
  leg.destroy()
  client.destroy()
})

/** Takes until a dot. */
function untilDot(blocked: () => boolean) {
  const sink = {
    text: '',
    done: false,
    get blocked() {
      return blocked()
    },
    resume: () => {},
    start(resume: () => void) {
      sink.resume = resume
    },
    take(view: Uint8Array) {
      const end = view.indexOf('.'.charCodeAt(0))
      const taken = end < 0 ? view.length : end + 1
      sink.text += Buffer.from(view.subarray(0, taken)).toString('latin1')
      sink.done = end >= 0
      return taken
    },
  }
  return sink satisfies PumpSink & { text: string }
}

test('octets are streamed to who wants them, and the line behind them is the next', async () => {
  const { client, dialogue, leg } = await timedDialogue()
  const sink = untilDot(() => false)
  client.write('message.line\r\n')
  expect(await dialogue.pump(sink)).toBe('done')
  expect(sink.text).toBe('message.')
  expect(await dialogue.readLine(100)).toMatchObject({ text: 'line' })
  client.end()
  expect(await dialogue.pump(untilDot(() => false))).toBe('gone')
  leg.destroy()
})

test('a client whose octets nobody takes is not idle; one that sends none is', async () => {
  let blocked = true
  const { client, dialogue, leg, clock, session } = await timedDialogue({ idleMs: 10_000 })
  dialogue.admitted()
  const sink = untilDot(() => blocked)
  const pumped = dialogue.pump(sink)
  client.write('abc')
  while (sink.text === '') await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(60_000)
  expect(session.signal.aborted).toBe(false)
  blocked = false
  sink.resume()
  await clock.advance(25_000)
  expect(await pumped).toBe('gone')
  expect(dialogue.ended).toBe('idle')
  leg.destroy()
  client.destroy()
})

test('every octet of a message shows that its client is there', async () => {
  const { client, dialogue, leg, clock } = await timedDialogue({ idleMs: 10_000 })
  dialogue.admitted()
  const sink = untilDot(() => false)
  const pumped = dialogue.pump(sink)
  for (let sent = 1; sent <= 20; sent++) {
    client.write('x')
    while (sink.text.length < sent) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(6_000)
  }
  client.write('.')
  expect(await pumped).toBe('done')
  leg.destroy()
  client.destroy()
})

/** Whether something has come to its end by now. */
async function isOver(waited: Promise<unknown>): Promise<boolean> {
  await new Promise((resolve) => setImmediate(resolve))
  return Promise.race([waited.then(() => true), new Promise<false>((resolve) => setImmediate(resolve, false))])
}

test('a pause lasts for its time, and what the client sends meanwhile is read behind it', async () => {
  const clock = createFakeClock()
  const { client, dialogue } = await dialogueWithSilentClient(undefined, createTimerWheel(clock))
  client.write('NOOP\r\n')
  const pause = dialogue.pause(5_000)
  await clock.advance(4_900)
  expect(await isOver(pause)).toBe(false)
  await clock.advance(200)
  expect(await isOver(pause)).toBe(true)
  expect(await dialogue.readLine(100)).toMatchObject({ kind: 'line', text: 'NOOP' })
})

type Staged = Awaited<ReturnType<typeof dialogueWithSilentClient>>

test.each<[string, (staged: Staged) => void]>([
  ['when the client leaves', ({ leg }) => leg.destroy()],
  ['when its time is up', ({ session }) => session.signal.abort('deadline')],
  ['when the node leaves', ({ session }) => session.onDrain?.()],
])('a pause ends %s', async (_label, end) => {
  const staged = await dialogueWithSilentClient()
  const pause = staged.dialogue.pause(3_600_000)
  expect(await isOver(pause)).toBe(false)
  end(staged)
  await pause
  expect(staged.session.signal.onAbort).toBeUndefined()
})

test('there is no pause for no time, and for nobody', async () => {
  const { session, dialogue } = await dialogueWithSilentClient()
  await dialogue.pause(0)
  session.signal.abort('closed')
  await dialogue.pause(3_600_000)
})

test('a client whose lifetime is over is let go when it is its turn', async () => {
  const clock = createFakeClock()
  const { dialogue } = await dialogueWithSilentClient(undefined, createTimerWheel(clock))
  dialogue.admitted()
  dialogue.setLifetime(600_000)
  const read = dialogue.readLine(100)
  await clock.advance(599_000)
  expect(await isOver(read)).toBe(false)
  await clock.advance(1_100)
  expect([await read, dialogue.ended]).toEqual([{ kind: 'gone' }, 'deadline'])
})

test('a client whose lifetime is over is let go as soon as nothing is under way for it', async () => {
  const clock = createFakeClock()
  let busy = true
  const { client, dialogue } = await dialogueWithSilentClient(() => busy, createTimerWheel(clock))
  dialogue.admitted()
  dialogue.setLifetime(600_000)
  const read = dialogue.readLine(100)
  await clock.advance(601_000)
  client.write('DATA\r\n')
  expect(await read).toMatchObject({ kind: 'line', text: 'DATA' })
  busy = false
  expect([await dialogue.readLine(100), dialogue.ended]).toEqual([{ kind: 'gone' }, 'deadline'])
})

test('a lifetime that begins anew, or is none any more, is not the former one', async () => {
  const clock = createFakeClock()
  const { client, dialogue } = await dialogueWithSilentClient(undefined, createTimerWheel(clock))
  dialogue.admitted()
  dialogue.setLifetime(600_000)
  dialogue.setLifetime(undefined)
  await clock.advance(601_000)
  client.write('NOOP\r\n')
  expect(await dialogue.readLine(100)).toMatchObject({ kind: 'line' })
})
