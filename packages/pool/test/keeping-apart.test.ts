// SPDX-License-Identifier: MIT
import { type Backend, NEVER, systemClock } from '@portico/base'
import { converse, createTimerWheel } from '@portico/net'
import type { BackendDriver, BackendPool } from '@portico/pool'
import { silentLog } from '@portico/telemetry'
import { createToyBackend, type ToyBackend, toyBackendAt, toyDriver } from '@portico/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LeaseRule, leaseRule } from '../src/lease-rule.js'
import { createPoolWithRule } from '../src/pool.js'

/** One loan: how many questions are asked, and how it ends. `unread` gives the connection back with an answer under way. */
interface Loan {
  readonly questions: number
  readonly ending: 'release' | 'discard' | 'dispose' | 'unread' | 'hang'
}

const loan: fc.Arbitrary<Loan> = fc.record({
  questions: fc.integer({ min: 0, max: 3 }),
  ending: fc.constantFrom('release', 'discard', 'dispose', 'unread', 'hang'),
})
const plan = fc.record({
  warm: fc.integer({ min: 0, max: 2 }),
  reuse: fc.constantFrom<BackendDriver['reuse']>('never', 'after-reset'),
  max: fc.integer({ min: 1, max: 3 }),
  resetWorks: fc.boolean(),
  alice: fc.array(loan, { minLength: 1, maxLength: 5 }),
  bob: fc.array(loan, { minLength: 1, maxLength: 5 }),
})
type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never

let toy: ToyBackend
beforeAll(async () => {
  toy = await createToyBackend()
})
afterAll(() => toy[Symbol.asyncDispose]())

const wheel = createTimerWheel(systemClock)

/** Runs both users at once, and returns every line that one of them got and that was not for them. */
async function crossings(
  rule: LeaseRule,
  { warm, reuse, max, resetWorks, alice, bob }: Plan,
): Promise<readonly string[]> {
  const limits = { connectMs: 120, maxPerBackend: max, acquireMs: 5_000 }
  await using pool = createPoolWithRule({ clock: systemClock, wheel, log: silentLog, limits }, rule)
  pool.register({ ...toyDriver(reuse), warm: true })
  const backend = { ...toyBackendAt(toy.port), pool: { warm, warmMs: 40_000, queue: 99, waitMs: 5_000 } }
  toy.resetAnswer = resetWorks ? 'OK' : 'NO'
  const [one, two] = await Promise.all([runUser(pool, backend, 'alice', alice), runUser(pool, backend, 'bob', bob)])
  return [...one, ...two]
}

async function runUser(
  pool: BackendPool,
  backend: Backend,
  user: string,
  loans: readonly Loan[],
): Promise<readonly string[]> {
  const strange: string[] = []
  for (const [index, { questions, ending }] of loans.entries()) {
    const acquired = await pool.acquire(backend, NEVER)
    if (acquired.kind === 'failed') continue
    await using lease = acquired.lease
    const dialogue = converse(lease.leg)
    lease.markUsed()
    lease.leg.writeText(`LOGIN ${user}\n`)
    await dialogue.readLine(100, NEVER)
    for (let question = 0; question < questions; question++) {
      const expected = `${user} ${index}.${question}`
      lease.leg.writeText(`WHO ${index}.${question}\n`)
      const read = await dialogue.readLine(100, NEVER)
      if (read.kind === 'line' && read.bytes.toString() !== expected) strange.push(read.bytes.toString())
    }
    if (ending === 'unread') lease.leg.writeText('WHO unread\n')
    if (ending === 'hang') lease.leg.writeText('HANG\n')
    if (ending === 'discard') lease.discard()
    else if (ending !== 'dispose') await lease.release()
  }
  return strange
}

test('two users interleaved at random over pools, resets and time-outs never see a line of each other', async () => {
  const property = fc.asyncProperty(plan, async (drawn) => {
    expect(await crossings(leaseRule, drawn)).toEqual([])
  })
  await fc.assert(property, { numRuns: 60 })
})

test('without the lease rule they do: the property can fail', async () => {
  const property = fc.asyncProperty(plan, async (drawn) => (await crossings(async () => true, drawn)).length === 0)
  const checked = await fc.check(property, { numRuns: 60 })
  expect(checked.failed).toBe(true)
})
