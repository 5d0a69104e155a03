// SPDX-License-Identifier: MIT
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { FAULTS, PROTOCOLS } from '../lib/fake-backends.js'
import { type FaultStage, signIn, startFaultStage } from '../lib/fault-stage.js'
import { LineClient } from '../lib/line-client.js'
import { eventually, scenario } from '../lib/scenario.js'

const SESSIONS = 10_000
const AT_ONCE = 40
/** Hanging backends are left out: they would only make the run long. Their clients leave early instead. */
const QUICK = FAULTS.filter((fault) => fault !== 'hangs')

let diedInSession = 0

interface Footprint {
  readonly descriptors: number
  readonly timers: number
  readonly heap: number
}

scenario('ten thousand sessions that fail', { programs: [] }, () => {
  test('leave no more descriptors and timers than before, and the heap within 2 MiB', {
    timeout: 600_000,
  }, async () => {
    await using stage = await startFaultStage()
    await failMany(stage, 2_000)
    const before = await footprint(stage)
    await failMany(stage, SESSIONS)
    expect(diedInSession).toBeGreaterThan(SESSIONS / 50)
    await eventually(async () => {
      const after = await footprint(stage)
      // Not more: a few connections of the first round may still have been closing when it was counted.
      expect(after.descriptors).toBeLessThanOrEqual(before.descriptors)
      expect(after.timers).toBeLessThanOrEqual(before.timers)
      expect((after.heap - before.heap) / 2 ** 20).toBeLessThan(2)
    }, 60_000)
  })
})

async function failMany(stage: FaultStage, count: number): Promise<void> {
  let started = 0
  const one = async (): Promise<void> => {
    while (started < count) await failOnce(stage, started++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
}

/** One session of one protocol with one fault; every eighth client leaves while it waits for a backend that hangs. */
async function failOnce(stage: FaultStage, number: number): Promise<void> {
  const protocol = PROTOCOLS[number % PROTOCOLS.length] ?? 'imap4'
  const turn = Math.floor(number / PROTOCOLS.length)
  if (turn % 8 === 7) return leaveEarly(stage, number)
  const fault = QUICK[turn % QUICK.length] ?? 'refuses'
  const { client, answer } = await signIn(stage, protocol, fault)
  // On a machine that is held up, a sign-in may run out of its second: one more way to fail.
  if (protocol === 'imap4' && fault === 'dies' && /^a1 OK/m.test(answer)) {
    await client.ask('s SELECT INBOX', /(?!)/)
    diedInSession += 1
  }
  client.destroy()
}

async function leaveEarly(stage: FaultStage, number: number): Promise<void> {
  const client = await LineClient.connect(stage.port(number % 2 === 0 ? 'imap4' : 'pop3'))
  await client.until(/\r\n/)
  client.send(number % 2 === 0 ? 'a LOGIN hangs pw\r\n' : 'USER hangs\r\nPASS pw\r\n')
  await new Promise((resolve) => setImmediate(resolve))
  client.destroy()
}

/** What this process holds once all sessions are over and everything unused is collected. */
async function footprint(stage: FaultStage): Promise<Footprint> {
  await eventually(() => expect(stage.frontEnd.sessions).toBe(0), 20_000)
  // What was logged is the test's, not the front end's.
  ;(stage.log.lines as string[]).length = 0
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    timers: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length,
    heap: process.memoryUsage().heapUsed,
  }
}
