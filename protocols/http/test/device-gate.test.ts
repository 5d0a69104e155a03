// SPDX-License-Identifier: MIT
import type { Services } from '@portico/session'
import { createFakeClock, type FakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { type Device, DeviceGate } from '../src/activesync/device-gate.js'
import { type ActiveSyncSettings, activeSyncSchema } from '../src/activesync/schema.js'

const PHONE: Device = { user: 'alice', id: 'phone', unprovedFrom: undefined }

interface Buckets {
  readonly asked: Map<string, number>
  retryAfterMs: number
}

function gateWith(written: object = {}): {
  readonly gate: DeviceGate
  readonly clock: FakeClock
  readonly buckets: Buckets
  readonly ended: string[]
  enter(device: Device, command: string): Promise<() => void>
} {
  const settings = activeSyncSchema.parse(written) as ActiveSyncSettings
  const clock = createFakeClock()
  const buckets: Buckets = { asked: new Map(), retryAfterMs: 0 }
  const state = {
    async take(key: string) {
      buckets.asked.set(key, (buckets.asked.get(key) ?? 0) + 1)
      return { allowed: buckets.retryAfterMs === 0, remaining: 0, retryAfterMs: buckets.retryAfterMs }
    },
  } as unknown as Services['state']
  const gate = new DeviceGate({ state, clock })
  const ended: string[] = []
  const enter = async (device: Device, command: string) => {
    const entered = await gate.enter(device, { command, end: () => ended.push(command) }, settings)
    if (entered.kind === 'refused') throw new Error(`${entered.why} ${entered.waitMs}`)
    return entered.leave
  }
  return { gate, clock, buckets, ended, enter }
}

describe('a device has so many requests at once, and so many a minute', () => {
  test('more at once are refused until one has ended', async () => {
    const { gate, enter } = gateWith({ requestsAtOnce: 2 })
    const leave = await enter(PHONE, 'ItemOperations')
    await enter(PHONE, 'SendMail')
    await expect(enter(PHONE, 'FolderSync')).rejects.toThrow('busy 10000')
    leave()
    const last = await enter(PHONE, 'FolderSync')
    last()
    expect(gate.size).toBe(1)
  })

  test('others do not feel it: another device, another user with a device of that name', async () => {
    const { enter } = gateWith({ requestsAtOnce: 1 })
    await enter(PHONE, 'SendMail')
    await enter({ ...PHONE, id: 'tablet' }, 'SendMail')
    await enter({ ...PHONE, user: 'bob' }, 'SendMail')
    await expect(enter(PHONE, 'SendMail')).rejects.toThrow('busy')
  })

  test('a Ping that is left behind makes room, the oldest first', async () => {
    const { ended, enter } = gateWith({ requestsAtOnce: 2 })
    await enter(PHONE, 'SendMail')
    await enter(PHONE, 'Ping')
    await enter(PHONE, 'FolderSync')
    expect(ended).toEqual(['Ping'])
    await expect(enter(PHONE, 'Ping')).rejects.toThrow('busy')
  })

  test('a Sync makes room when it has taken so long that it must be waiting; other commands never do', async () => {
    const { clock, ended, enter } = gateWith({ requestsAtOnce: 2 })
    await enter(PHONE, 'SmartForward')
    await enter(PHONE, 'Sync')
    await clock.advance(59_000)
    await expect(enter(PHONE, 'Sync')).rejects.toThrow('busy')
    await clock.advance(1_000)
    await enter(PHONE, 'Search')
    expect(ended).toEqual(['Sync'])
    await clock.advance(3_600_000)
    await expect(enter(PHONE, 'Sync')).rejects.toThrow('busy')
  })

  test('a user with many devices has a bound as well, which is kept until a request has really ended', async () => {
    const { gate, ended, enter } = gateWith({ requestsAtOnce: 1, userRequestsAtOnce: 2 })
    const leave = await enter(PHONE, 'Ping')
    const leaveToo = await enter({ ...PHONE, id: 'tablet' }, 'Sync')
    await expect(enter({ ...PHONE, id: 'watch' }, 'Sync')).rejects.toThrow('busy')
    await expect(enter(PHONE, 'Ping')).rejects.toThrow('busy')
    expect(ended).toEqual([])
    leave()
    leaveToo()
    expect(gate.size).toBe(0)
    await enter({ ...PHONE, id: 'watch' }, 'Sync')
  })

  test('too many in a minute are told when to come again', async () => {
    const { gate, buckets, enter } = gateWith()
    buckets.retryAfterMs = 1_500
    await expect(enter(PHONE, 'Sync')).rejects.toThrow('often 1500')
    expect(gate.size).toBe(0)
  })

  test("who only says to be the user takes nothing that is the user's, whatever the id", async () => {
    const { buckets, enter } = gateWith({ requestsAtOnce: 1 })
    await enter({ ...PHONE, unprovedFrom: '192.0.2.1' }, 'Sync')
    await enter({ ...PHONE, id: 'x'.repeat(10_000) }, 'Sync')
    await enter(PHONE, 'Sync')
    expect([...buckets.asked.values()]).toEqual([1, 1, 1])
    for (const key of buckets.asked.keys()) expect(key.length).toBeLessThan(128)
  })

  test('spellings of a user are one', async () => {
    const { enter } = gateWith({ requestsAtOnce: 1 })
    await enter(PHONE, 'Sync')
    await expect(enter({ ...PHONE, user: 'ALICE' }, 'Sync')).rejects.toThrow('busy')
  })
})
