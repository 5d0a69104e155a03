// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import { connect } from 'node:net'
import { CancellationSource, systemClock } from '@portico/base'
import { createTimerWheel, type Leg, type Listener, listen } from '@portico/net'
import { afterEach, expect, test } from 'vitest'
import { ClientDialogue, limitsSchema, type Session } from '../src/index.js'

const wheel = createTimerWheel(systemClock)
let listener: Listener | undefined
afterEach(async () => {
  await listener?.[Symbol.asyncDispose]()
  wheel.close()
})

/** A session on a real connection, and the client at its other end, which reads nothing yet. */
async function dialogueWithSilentClient() {
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
    services: { wheel, limits: limitsSchema.parse({}) },
    draining: false,
    onDrain: undefined,
  } as unknown as Session
  return { client, leg, session, dialogue: new ClientDialogue(session) }
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
  ['a1 NOOP\r\nnext', { kind: 'line', text: 'a1 NOOP' }],
  ['a1 NOOP\n', { kind: 'line', text: 'a1 NOOP' }],
  ['\r\n', { kind: 'line', text: '' }],
  ['\n', { kind: 'line', text: '' }],
  ['\ra\r\n', { kind: 'line', text: '\ra' }],
  [`${'x'.repeat(20)}\r\n`, { kind: 'line', text: 'x'.repeat(20) }],
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
