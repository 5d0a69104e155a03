// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import type { Leg } from '@portico/net'
import { expect, test } from 'vitest'
import { Notes, reading, settle } from './leg-notes.js'
import type { LegPair } from './leg-pair.js'

/** Writes, batches and back-pressure. */
export function writingTests(makePair: () => Promise<LegPair>): void {
  test('write says false to whoever outruns a slow reader, then onDrain; every octet arrives', async () => {
    await using pair = await makePair()
    const sending = reading(pair.client)
    const sent = createHash('sha256')
    const piece = Buffer.alloc(65_536)
    let stalls = 0
    let mostQueued = 0
    const total = 200
    for (let i = 0; i < total; i += 1) {
      piece.fill(i)
      sent.update(piece)
      const more = pair.client.write(Buffer.from(piece))
      mostQueued = Math.max(mostQueued, pair.client.queued)
      if (i === total / 2) expect(stalls).toBeGreaterThan(0)
      if (more) continue
      stalls += 1
      const drains = sending.events.length
      const drained = sending.until(() => sending.events.length > drains)
      const quick = await Promise.race([drained.then(() => true), settle().then(() => false)])
      if (!quick) break
    }
    // The peer has not read at all, so that the sender must have been stopped.
    expect(mostQueued).toBeLessThan(512 * 1024)
    expect(pair.client.needsDrain).toBe(true)
    const received = createHash('sha256')
    const notes = new Notes()
    let length = 0
    notes.take = (view) => {
      received.update(view)
      length += view.length
      return view.length
    }
    pair.server.setReader(notes)
    pair.server.resume()
    await notes.until(() => length === pair.client.bytesWritten)
    expect(pair.client.bytesWritten).toBeLessThanOrEqual(total * 65_536)
    const expected = createHash('sha256')
    for (let i = 0; i < length / 65_536; i += 1) expected.update(piece.fill(i))
    expect(received.digest('hex')).toBe(expected.digest('hex'))
  })

  test('a batch is one write, nests, and is released when its filling throws', async () => {
    await using pair = await makePair()
    const notes = reading(pair.server)
    pair.client.batch(() => {
      for (let i = 0; i < 20; i += 1) pair.client.batch(() => pair.client.writeText(`250 reply ${i}\r\n`))
    })
    await notes.until(() => notes.text.endsWith('reply 19\r\n'))
    expect(notes.pieces).toHaveLength(1)
    expect(() =>
      pair.client.batch(() => {
        pair.client.writeText('kept')
        throw new Error('in the middle')
      }),
    ).toThrow('in the middle')
    await notes.until(() => notes.text.endsWith('kept'))
  })

  test('a batch that was too much for now is followed by onDrain, however fast it is gone', async () => {
    await using pair = await makePair()
    const notes = reading(pair.server)
    const sending = reading(pair.client)
    const large = Buffer.alloc(160 * 1024)
    let more = true
    pair.client.batch(() => {
      pair.client.write(large.subarray(0, 10))
      more = pair.client.write(large)
    })
    expect(more).toBe(false)
    await sending.until(() => sending.events.includes('drain'))
    expect(pair.client.needsDrain).toBe(false)
    await notes.until(() => notes.length === large.length + 10)
  })

  test('a batch that the peer does not take yet is not changed by that of another leg', async () => {
    await using slow = await makePair()
    await using other = await makePair()
    const notes = reading(slow.server)
    const elsewhere = reading(other.server)
    slow.server.pause()
    const batch = (leg: Leg, octet: string) =>
      leg.batch(() => {
        leg.writeText(octet)
        leg.write(Buffer.alloc(10_000, octet))
      })
    let sent = 0
    for (; slow.client.queued === 0; sent += 10_001) batch(slow.client, 'a')
    batch(other.client, 'b')
    await elsewhere.until(() => elsewhere.length === 10_001)
    slow.server.resume()
    await notes.until(() => notes.length === sent)
    expect(notes.text).toBe('a'.repeat(sent))
  })

  test('what is written after end is ignored', async () => {
    await using pair = await makePair()
    const notes = reading(pair.server)
    pair.client.writeText('before')
    pair.client.end()
    expect(pair.client.write(Buffer.from('after'))).toBe(false)
    expect(pair.client.state).toBe('ended')
    await notes.until(() => notes.events.includes('peer-end'))
    expect(notes.text).toBe('before')
  })
}
