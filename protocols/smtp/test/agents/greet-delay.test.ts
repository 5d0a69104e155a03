// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import { createTimerWheel } from '@portico/net'
import { createFakeClock } from '@portico/testkit'
import { expect, test } from 'vitest'
import type { AgentSession } from '../../src/agents/agent.js'
import { agentsSchema } from '../../src/agents/agents-schema.js'
import { greetDelay } from '../../src/agents/greet-delay.js'
import { type AgentRun, GO } from '../../src/agents/run-agents.js'
import { made, stage } from './support.js'

/** A client that says nothing before its time. */
function client() {
  let talk = () => {}
  const input: AgentSession['input'] = (signal: Cancellation) =>
    new Promise((resolve) => {
      talk = () => resolve('input')
      signal.onAbort = () => resolve('cancelled')
    })
  return { input, talk: () => talk() }
}

function delayed(written: object = {}) {
  const clock = createFakeClock()
  return { clock, agent: made(greetDelay, written, { wheel: createTimerWheel(clock) }) }
}

/** What a message of this session says in front. */
function marksOf(run: AgentRun): readonly string[] {
  run.ask('mail', { sender: undefined, parameters: new Map() })
  return run.notes.edits(() => []).prepend
}

test('the greeting waits, and no longer', async () => {
  const { clock, agent } = delayed()
  const { run } = stage([agent], client())
  let verdict: unknown
  void Promise.resolve(run.ask('connect', { greeting: true })).then((said) => {
    verdict = said
  })
  await clock.advance(4_900)
  expect(verdict).toBeUndefined()
  await clock.advance(200)
  expect(verdict).toEqual(GO)
  expect(clock.pending).toBe(0)
})

test('who talks before it is refused at once', async () => {
  const { clock, agent } = delayed()
  const early = client()
  const { run } = stage([agent], early)
  const verdict = run.ask('connect', { greeting: true })
  early.talk()
  expect(await verdict).toMatchObject({ kind: 'refuse', close: true, reply: { code: 554, enhanced: '5.5.1' } })
  expect(clock.pending).toBe(0)
})

test('or its messages are marked, when the site wants that', async () => {
  const { agent } = delayed({ action: 'tag' })
  const early = client()
  const { run } = stage([agent], early)
  const verdict = run.ask('connect', { greeting: true })
  early.talk()
  expect(await verdict).toEqual(GO)
  expect(marksOf(run)).toEqual(['X-Portico-Finding: greet-delay; talked before the greeting\r\n'])
})

test('who waited is marked by nothing', async () => {
  const { clock, agent } = delayed({ action: 'tag' })
  const { run } = stage([agent], client())
  const verdict = run.ask('connect', { greeting: true })
  await clock.advance(5_200)
  await verdict
  expect(marksOf(run)).toEqual([])
})

test('a proxy that has been greeted long ago does not wait for another one', async () => {
  const { clock, agent } = delayed()
  const { run } = stage([agent], client())
  expect(await run.ask('connect', { greeting: false })).toEqual(GO)
  expect(clock.pending).toBe(0)
})

test('nor does one that has not yet said whom it speaks for', async () => {
  const { clock, agent } = delayed()
  const { run } = stage([agent], { ...client(), isProxy: true })
  expect(await run.ask('connect', { greeting: true })).toEqual(GO)
  expect(clock.pending).toBe(0)
})

test('a client that leaves ends the wait', async () => {
  const { clock, agent } = delayed()
  const { run, signal } = stage([agent], client())
  const verdict = run.ask('connect', { greeting: true })
  signal.abort('closed')
  expect(await verdict).toEqual({ kind: 'gone' })
  expect(clock.pending).toBe(0)
})

test.each(['0s', '31s'])('a delay of %s is a mistake', (delay) => {
  expect(agentsSchema.safeParse([{ type: 'greet-delay', delay }]).success).toBe(false)
})
