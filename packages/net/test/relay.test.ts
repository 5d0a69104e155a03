// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { systemClock } from '@portico/base'
import type { LegPair } from '@portico/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { converse, createTimerWheel, type Leg, type Octets } from '../src/index.js'
import { plainPair, tlsPair } from './leg-pairs.js'
import { chainOver, LIMITS, reading } from './relay-chain.js'
import { certificateFor, Recorder } from './support.js'

const wheel = createTimerWheel(systemClock)
/** Four times as fast: for what the relay waits for. */
const hasty = createTimerWheel({
  ...systemClock,
  now: () => systemClock.now() * 4,
  after: (ms, fire) => systemClock.after(ms / 4, fire),
})
const chain = (makePair: () => Promise<LegPair>) => chainOver(makePair, wheel)
const certificate = certificateFor(['mail.example.com'])
afterAll(() => {
  wheel.close()
  hasty.close()
})

/** Answers every line and ends when its peer has. */
function answering(leg: Leg): Recorder {
  const recorder = reading(leg)
  let partial = ''
  const keep = recorder.onBytes.bind(recorder)
  recorder.onBytes = (view: Octets) => {
    const lines = (partial + Buffer.from(view).toString('latin1')).split('\r\n')
    partial = lines.pop() ?? ''
    leg.batch(() => {
      for (const line of lines) leg.writeText(`${line} OK done\r\n`)
    })
    return keep(view)
  }
  recorder.onPeerEnd = () => {
    leg.writeText('* BYE\r\n')
    leg.end()
  }
  return recorder
}

const kinds: [string, () => Promise<LegPair>][] = [
  ['plain', () => plainPair(wheel)],
  ['TLS', () => tlsPair(wheel, certificate)],
]

describe.each(kinds)('relay over %s legs', (_kind, makePair) => {
  test('100 commands and a FIN in one go get their 101 answers, and nothing stays open', async () => {
    await using c = await chainOver(makePair, hasty)
    answering(c.backend)
    const client = reading(c.client)
    const joined = c.join()
    c.client.writeText(Array.from({ length: 100 }, (_, i) => `a${i} NOOP\r\n`).join(''))
    c.client.end()
    const end = await joined.done
    await client.until(() => client.ends.length > 0)
    expect(client.text.split('\r\n').slice(0, -1)).toHaveLength(101)
    expect(client.ends).toEqual([{ kind: 'finished' }])
    expect(end).toMatchObject({ first: 'client', client: { kind: 'finished' }, backend: { kind: 'finished' } })
    expect([c.frontClient.server.state, c.frontBackend.client.state]).toEqual(['closed', 'closed'])
  })

  test('20 MB both ways at once arrive whole through two slow readers', async () => {
    await using c = await chain(makePair)
    const joined = c.join()
    const [up, down] = await Promise.all([transfer(c.client, c.backend), transfer(c.backend, c.client)])
    expect(up.received).toBe(up.sent)
    expect(down.received).toBe(down.sent)
    c.client.destroy()
    c.backend.destroy()
    const end = await joined.done
    expect(end).toMatchObject({ bytesToBackend: 20_971_520, bytesToClient: 20_971_520 })
  })

  test('a reset on one side drops the other', async () => {
    await using c = await chain(makePair)
    const backend = reading(c.backend)
    const client = reading(c.client)
    const joined = c.join()
    c.backend.writeText('* OK\r\n')
    await client.until(() => client.text === '* OK\r\n')
    c.client.destroy({ reset: true })
    const end = await joined.done
    await backend.until(() => backend.ends.length + backend.peerEnds > 0)
    expect(end.first).toBe('client')
    expect(end.client).toMatchObject({ kind: 'error', code: 'peer-reset' })
    expect(end.backend).toEqual({ kind: 'destroyed' })
  })

  test('what the parsers left goes first, and a line that was half read is complete', async () => {
    await using c = await chain(makePair)
    const backend = reading(c.backend)
    const dialogue = converse(c.frontClient.server)
    c.client.writeText('a LOGIN alice secret\r\nb SELECT INBOX\r\nc FET')
    const line = await dialogue.readLine(100, { ...neverCancelled() })
    expect(line).toMatchObject({ kind: 'line', bytes: Buffer.from('a LOGIN alice secret') })
    c.join()
    c.client.writeText('CH 1 FLAGS\r\n')
    await backend.until(() => backend.text.endsWith('FLAGS\r\n'))
    expect(backend.text).toBe('b SELECT INBOX\r\nc FETCH 1 FLAGS\r\n')
  })
})

function neverCancelled() {
  return { aborted: false, reason: undefined, onAbort: undefined, toAbortSignal: () => new AbortController().signal }
}

async function transfer(from: Leg, to: Leg): Promise<{ sent: string; received: string }> {
  const total = 20 * 1024 * 1024
  const sent = createHash('sha256')
  const received = createHash('sha256')
  let arrived = 0
  let pauses = 0
  const done = new Promise<void>((resolve) => {
    const original = readers.get(to) ?? new Recorder()
    readers.set(to, original)
    original.onBytes = (view) => {
      received.update(view)
      arrived += view.length
      if (arrived === total) resolve()
      else if (arrived > (pauses + 1) * 1024 * 1024) {
        // Now and then the reader stops, so that the relay has to hold the sender back.
        pauses += 1
        to.pause()
        setTimeout(() => to.resume(), 5)
      }
      return view.length
    }
    to.setReader(original)
    to.resume()
  })
  const sender = readers.get(from) ?? new Recorder()
  readers.set(from, sender)
  for (let i = 0; i < total / 65_536; i += 1) {
    const piece = Buffer.alloc(65_536, i)
    sent.update(piece)
    const before = sender.drains
    if (!from.write(piece) && from.needsDrain) await sender.until(() => sender.drains > before)
  }
  await done
  return { sent: sent.digest('hex'), received: received.digest('hex') }
}
const readers = new WeakMap<Leg, Recorder>()

describe('the end of a client', () => {
  const secure = () => tlsPair(wheel, certificate)

  test('is not told to a TLS backend while that has something to say', async () => {
    await using c = await chainOver(secure, hasty)
    const backend = reading(c.backend)
    const client = reading(c.client)
    const joined = c.join()
    c.client.writeText('a FETCH 1:* BODY[]\r\n')
    c.client.end()
    await backend.until(() => backend.text.endsWith('\r\n'))
    for (let count = 0; count < 10; count += 1) {
      c.backend.writeText(`* ${count} FETCH\r\n`)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    expect([c.backend.state, client.text.match(/FETCH/g)?.length]).toEqual(['open', 10])
    await backend.until(() => backend.peerEnds > 0)
    c.backend.end()
    expect(await joined.done).toMatchObject({ first: 'client', client: { kind: 'finished' } })
  })

  test('is told to a TLS backend at once when that has finished itself', async () => {
    await using c = await chain(secure)
    const backend = reading(c.backend)
    reading(c.client)
    const joined = c.join()
    c.client.writeText('a LOGOUT\r\n')
    c.client.end()
    await backend.until(() => backend.text.endsWith('\r\n'))
    const began = performance.now()
    c.backend.end()
    expect(await joined.done).toMatchObject({ client: { kind: 'finished' }, backend: { kind: 'finished' } })
    expect(performance.now() - began).toBeLessThan(2_900)
  })
})

describe('the end of a relay', () => {
  test('a backend that was slow to read gets everything of a client that is long gone', async () => {
    await using c = await chain(() => plainPair(wheel))
    const joined = c.join()
    reading(c.client)
    c.client.write(Buffer.alloc(4 * 1024 * 1024, 'x'))
    c.client.end()
    await new Promise((resolve) => setTimeout(resolve, 100))
    const backend = reading(c.backend)
    await backend.until(() => backend.peerEnds > 0)
    expect(backend.bytes).toHaveLength(4 * 1024 * 1024)
    c.backend.end()
    expect((await joined.done).client).toEqual({ kind: 'finished' })
  })

  test('an EOF that came during the login is passed on', async () => {
    await using c = await chain(() => plainPair(wheel))
    const dialogue = converse(c.frontClient.server)
    c.client.writeText('a LOGIN x y\r\n')
    c.client.end()
    await dialogue.readLine(100, neverCancelled())
    expect(await dialogue.readLine(100, neverCancelled())).toEqual({ kind: 'peer-ended' })
    const backend = answering(c.backend)
    const client = reading(c.client)
    const end = await c.join().done
    expect(end.first).toBe('client')
    await client.until(() => client.ends.length > 0)
    expect([client.text, backend.text]).toEqual(['* BYE\r\n', ''])
  })

  test('silence ends both sides as idle', async () => {
    await using c = await chain(() => plainPair(wheel))
    const backend = reading(c.backend)
    const client = reading(c.client)
    const joined = c.join({ ...LIMITS, idleMs: 200 })
    const end = await joined.done
    await backend.until(() => backend.peerEnds > 0)
    await client.until(() => client.peerEnds > 0)
    expect(end).toMatchObject({ first: 'us', client: { kind: 'idle' }, backend: { kind: 'destroyed' } })
  })

  test('a backend that ignores the end of its client is dropped after the half-closed time', async () => {
    await using c = await chain(() => plainPair(wheel))
    reading(c.backend)
    const joined = c.join({ ...LIMITS, halfClosedMs: 150 })
    c.client.end()
    expect(await joined.done).toMatchObject({ first: 'client', backend: { kind: 'destroyed' } })
  })

  test('stop ends both sides, and the client sees an orderly end', async () => {
    await using c = await chain(() => plainPair(wheel))
    const client = reading(c.client)
    reading(c.backend)
    const joined = c.join()
    c.backend.writeText('* 3 EXISTS\r\n')
    await client.until(() => client.text.endsWith('\r\n'))
    expect(joined.quiet).toBe(true)
    joined.stop()
    await client.until(() => client.peerEnds > 0)
    c.client.end()
    expect(await joined.done).toMatchObject({ first: 'us', client: { kind: 'finished' } })
  })
})
