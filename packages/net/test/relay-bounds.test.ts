// SPDX-License-Identifier: MIT
import { systemClock } from '@portico/base'
import type { LegPair } from '@portico/testkit'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { createTimerWheel, type Leg, type Relay } from '../src/index.js'
import { plainPair, tlsPair } from './leg-pairs.js'
import { type Chain, chainOver, LIMITS, reading } from './relay-chain.js'
import { certificateFor, Recorder } from './support.js'

const wheel = createTimerWheel(systemClock)
const certificate = certificateFor(['mail.example.com'])
afterAll(() => wheel.close())

const kinds: [string, () => Promise<LegPair>][] = [
  ['plain', () => plainPair(wheel)],
  ['TLS', () => tlsPair(wheel, certificate)],
]

/** What a relay may hold for a peer that does not read: the mark at which a writer stops, one read more, and what was read ahead. */
const HELD = 320 * 1024
const MORE_THAN_KERNELS_TAKE = 64 * 1024 * 1024

/** Writes until nobody takes anything any more; how much was written. */
async function flood(from: Leg, joined: Relay): Promise<number> {
  const sender = reading(from)
  const piece = Buffer.alloc(65_536, 'x')
  for (let sent = 0; sent < MORE_THAN_KERNELS_TAKE; sent += piece.length) {
    const before = sender.drains
    if (from.write(piece) || !from.needsDrain) continue
    const drained = sender.until(() => sender.drains > before)
    for (let moved = -1; moved !== joined.moved; ) {
      moved = joined.moved
      if (await Promise.race([drained.then(() => true), new Promise((resolve) => setTimeout(resolve, 250))])) break
      if (moved === joined.moved) return sent
    }
  }
  throw new Error('all of it went somewhere')
}

describe.each(kinds)('a relay over %s legs', (_kind, makePair) => {
  test.each<[string, (c: Chain) => [from: Leg, to: Leg, held: () => number]]>([
    ['client', (c) => [c.backend, c.client, () => c.frontClient.server.queued + c.frontBackend.client.buffered]],
    ['backend', (c) => [c.client, c.backend, () => c.frontBackend.client.queued + c.frontClient.server.buffered]],
  ])('holds little for a %s that does not read, and brings it all when it does', async (_who, ends) => {
    await using c = await chainOver(makePair, wheel)
    const [from, to, held] = ends(c)
    const joined = c.join()
    await flood(from, joined)
    expect(held()).toBeGreaterThan(0)
    expect(held()).toBeLessThan(HELD)
    const reader = new Recorder()
    let arrived = 0
    reader.onBytes = (view) => {
      arrived += view.length
      return view.length
    }
    to.setReader(reader)
    to.resume()
    from.end()
    await new Promise<void>((resolve) => {
      reader.onPeerEnd = resolve
    })
    expect(arrived).toBe(from.bytesWritten)
  })

  test('passes any octets on, however they are cut, both ways at once', async () => {
    const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(pieces, pieces, async (up, down) => {
        await using c = await chainOver(makePair, wheel)
        const [client, backend] = [reading(c.client), reading(c.backend)]
        const joined = c.join()
        await Promise.all([say(c.client, up), say(c.backend, down)])
        const end = await joined.done
        await client.until(() => client.peerEnds > 0)
        await backend.until(() => backend.peerEnds > 0)
        expect(backend.bytes.equals(Buffer.concat(up))).toBe(true)
        expect(client.bytes.equals(Buffer.concat(down))).toBe(true)
        expect(end).toMatchObject({ bytesToBackend: backend.bytes.length, bytesToClient: client.bytes.length })
      }),
      { numRuns: 15 },
    )
  })

  test('with last words: they come behind what is on its way, and nothing comes behind them', async () => {
    await using c = await chainOver(makePair, wheel)
    const client = reading(c.client)
    reading(c.backend)
    const joined = c.join()
    c.backend.writeText('* 3 EXISTS\r\n')
    await client.until(() => client.text.endsWith('\r\n'))
    c.backend.writeText('* 4 EXISTS\r\n')
    joined.stop('* BYE\r\n')
    c.backend.writeText('* 5 EXISTS\r\n')
    await client.until(() => client.peerEnds > 0)
    c.client.end()
    expect(client.text).toBe('* 3 EXISTS\r\n* BYE\r\n')
    expect(await joined.done).toMatchObject({ first: 'us', client: { kind: 'finished' } })
  })

  test('has no half-closed time of no limit', async () => {
    await using c = await chainOver(makePair, wheel)
    reading(c.backend)
    const joined = c.join({ ...LIMITS, halfClosedMs: 0 })
    c.client.end()
    expect(await joined.done).toMatchObject({ first: 'client', backend: { kind: 'destroyed' } })
  })
})

async function say(leg: Leg, pieces: readonly Uint8Array[]): Promise<void> {
  for (const [index, piece] of pieces.entries()) {
    leg.write(piece)
    if (index % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  leg.end()
}
