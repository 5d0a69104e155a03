// SPDX-License-Identifier: MIT
import { CancellationSource, NEVER } from '@portico/base'
import { createMemoryStore, createSupervisorStore, type MessageChannel, serveStore } from '@portico/state'
import { createFakeClock, stateStoreCompliance } from '@portico/testkit'
import { describe, expect, test } from 'vitest'

stateStoreCompliance('memory', async () => {
  const clock = createFakeClock()
  const store = createMemoryStore({ clock })
  return { store, pass: clock.advance, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
})

stateStoreCompliance('supervisor', async () => {
  const clock = createFakeClock()
  const shared = createMemoryStore({ clock })
  const { worker, supervisor } = channelPair()
  const served = serveStore(supervisor, shared)
  const store = createSupervisorStore(worker, { clock })
  return {
    store,
    pass: clock.advance,
    async [Symbol.asyncDispose]() {
      served[Symbol.dispose]()
      await store[Symbol.asyncDispose]()
    },
  }
})

class End implements MessageChannel {
  onMessage: ((message: unknown) => void) | undefined
  open = true
  deaf = false
  sent = 0
  other: End | undefined
  send(message: unknown): boolean {
    if (!this.open) return false
    this.sent += 1
    // As the IPC of child_process with its default serialization.
    const copy: unknown = JSON.parse(JSON.stringify(message))
    if (!this.deaf) queueMicrotask(() => this.other?.onMessage?.(copy))
    return true
  }
}

function channelPair(): { worker: End; supervisor: End } {
  const [worker, supervisor] = [new End(), new End()]
  worker.other = supervisor
  supervisor.other = worker
  return { worker, supervisor }
}

const bytes = (text: string) => Uint8Array.from(Buffer.from(text))

describe('the memory store', () => {
  test('holds no more keys than it was told; the next to expire goes first, and other kinds stay', async () => {
    const clock = createFakeClock()
    await using store = createMemoryStore({ clock, maxKeys: 100 })
    await store.set('ban', bytes('x'), 0, NEVER)
    await store.increment('lives longest', 7, 1_000_000, NEVER)
    for (let at = 0; at < 10_000; at++) await store.increment(`flood${at}`, 1, 1_000 + at, NEVER)
    expect(await store.get('ban', NEVER)).toMatchObject({ kind: 'value' })
    expect(await store.increment('lives longest', 1, 1_000, NEVER)).toBe(8)
    expect(await store.increment('flood0', 1, 1_000, NEVER)).toBe(1)
  })
})

describe('workers with one supervisor', () => {
  test('share their counters, buckets, values and messages', async () => {
    const shared = createMemoryStore({ clock: createFakeClock() })
    const [one, two] = [channelPair(), channelPair()]
    serveStore(one.supervisor, shared)
    serveStore(two.supervisor, shared)
    const [first, second] = [createSupervisorStore(one.worker), createSupervisorStore(two.worker)]
    expect(await first.increment('n', 1, 1_000, NEVER)).toBe(1)
    expect(await second.increment('n', 1, 1_000, NEVER)).toBe(2)
    const heard: string[] = []
    second.subscribe('kick', (message) => heard.push(Buffer.from(message).toString()))
    await second.get('settled', NEVER)
    await first.publish('kick', bytes('alice'), NEVER)
    await second.get('settled', NEVER)
    expect(heard).toEqual(['alice'])
  })

  test('know what the others count without asking, from before they began until it is forgotten', async () => {
    const clock = createFakeClock()
    const shared = createMemoryStore({ clock })
    const [one, two] = [channelPair(), channelPair()]
    serveStore(one.supervisor, shared)
    const first = createSupervisorStore(one.worker, { clock })
    await first.increment('before', 3, 60_000, NEVER)
    await clock.advance(50_000)
    serveStore(two.supervisor, shared)
    const second = createSupervisorStore(two.worker, { clock })
    await second.get('settled', NEVER)
    await first.increment('after', 1, 60_000, NEVER)
    await first.increment('after', 1, 60_000, NEVER)
    await second.get('settled', NEVER)
    const asked = two.worker.sent
    expect(await second.increment('before', 0, 60_000, NEVER)).toBe(3)
    expect(await second.increment('after', 0, 60_000, NEVER)).toBe(2)
    await clock.advance(11_000)
    expect(await second.increment('before', 0, 60_000, NEVER)).toBe(0)
    expect(await second.increment('after', 0, 60_000, NEVER)).toBe(2)
    expect(two.worker.sent).toBe(asked)
    expect(await second.increment('after', 1, 60_000, NEVER)).toBe(3)
    expect(await first.increment('after', 0, 60_000, NEVER)).toBe(3)
  })

  test('a worker that dies gives its leases back', async () => {
    const shared = createMemoryStore({ clock: createFakeClock() })
    const { worker, supervisor } = channelPair()
    const served = serveStore(supervisor, shared)
    await createSupervisorStore(worker).lease('leader', 60_000, NEVER)
    expect(await shared.lease('leader', 1_000, NEVER)).toBeUndefined()
    served[Symbol.dispose]()
    expect(await shared.lease('leader', 1_000, NEVER)).toBeDefined()
  })

  test.each([
    ['the channel is closed', (end: End) => Object.assign(end, { open: false })],
    ['the supervisor does not answer', (end: End) => Object.assign(end, { deaf: true })],
  ])('while %s counts are local, values unavailable and nothing is claimed to be stored', async (_says, cut) => {
    const clock = createFakeClock()
    const { worker, supervisor } = channelPair()
    serveStore(supervisor, createMemoryStore({ clock }))
    const store = createSupervisorStore(worker, { clock, timeoutMs: 1_000 })
    expect(await store.increment('failures', 1, 60_000, NEVER)).toBe(1)
    cut(worker)
    const all = Promise.all([
      store.increment('failures', 1, 60_000, NEVER),
      store.take('bucket', 1, { capacity: 1, refillPerSecond: 0 }, NEVER),
      store.take('bucket', 1, { capacity: 1, refillPerSecond: 0 }, NEVER),
      store.get('k', NEVER),
      store.set('k', bytes('v'), 0, NEVER),
      store.compareAndSet('k', undefined, bytes('v'), 0, NEVER),
      store.expire('k', NEVER),
      store.lease('k', 1_000, NEVER),
      store.publish('k', bytes('v'), NEVER),
    ])
    await clock.advance(1_000)
    const [count, full, empty, ...rest] = await all
    expect([count, full.allowed, empty.allowed]).toEqual([2, true, false])
    expect(rest).toEqual([{ kind: 'unavailable' }, false, 'unavailable', false, undefined, false])
    expect(clock.pending).toBe(0)
  })

  test('a session that goes away is answered at once', async () => {
    const { worker } = channelPair()
    worker.deaf = true
    const clock = createFakeClock()
    const store = createSupervisorStore(worker, { clock })
    const signal = new CancellationSource()
    const asked = store.get('k', signal)
    signal.abort('closed')
    expect(await asked).toEqual({ kind: 'unavailable' })
  })
})
