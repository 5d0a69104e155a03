// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { reading, settle } from './leg-notes.js'
import type { LegPair } from './leg-pair.js'

/** Silence and deadlines. */
export function limitTests(makePair: () => Promise<LegPair>): void {
  test('silence ends a leg as idle, not before its time; an octet in either direction starts it again', async () => {
    await using pair = await makePair()
    const client = reading(pair.client)
    reading(pair.server)
    const began = performance.now()
    pair.client.setIdle(300)
    await settle()
    pair.server.writeText('still here')
    await client.until(() => client.length > 0)
    const spoke = performance.now()
    await client.until(() => client.ends.length > 0)
    expect(client.ends).toEqual([{ kind: 'idle' }])
    expect(performance.now() - spoke).toBeGreaterThanOrEqual(300)
    expect(performance.now() - began).toBeLessThan(3_000)
  })

  test('a deadline ends a leg however much it says', async () => {
    await using pair = await makePair()
    const client = reading(pair.client)
    reading(pair.server)
    const chatter = setInterval(() => pair.server.writeText('.'), 10)
    const began = performance.now()
    pair.client.setDeadline(200)
    await client.until(() => client.ends.length > 0)
    clearInterval(chatter)
    expect(client.ends).toEqual([{ kind: 'deadline' }])
    expect(performance.now() - began).toBeGreaterThanOrEqual(200)
  })

  test('a limit that was turned off does not fire', async () => {
    await using pair = await makePair()
    const client = reading(pair.client)
    pair.client.setDeadline(100)
    pair.client.setIdle(100)
    pair.client.setDeadline(0)
    pair.client.setIdle(0)
    await new Promise((resolve) => setTimeout(resolve, 350))
    expect(client.ends).toEqual([])
  })
}
