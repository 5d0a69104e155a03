// SPDX-License-Identifier: MIT
import { metricsText } from '@portico/telemetry'
import { expect, test } from 'vitest'
import type { Opinion } from '../../src/agents/agent.js'
import { say } from '../../src/replies.js'
import { agent, stage } from './support.js'

const against: Opinion = { kind: 'against', reply: say(550, '5.7.1', 'No'), reason: 'bad' }
const NOBODY = { sender: undefined, parameters: new Map() }
const raise = () => {
  throw new Error('broken')
}

test('what agents think, what becomes of it, who is away and for how long one waits are counted', async () => {
  const { run, metrics, clock } = stage([
    agent({ mail: () => ({ kind: 'pass' }) }, { name: 'one' }),
    agent({ mail: () => against }, { name: 'two', action: 'tag' }),
    agent({ mail: () => against }, { name: 'three', audit: true }),
    agent({ mail: () => ({ ...against, action: { quarantine: 'spam@test.lan' } }) }, { name: 'six' }),
    agent({ mail: raise }, { name: 'four' }),
    agent({ mail: () => new Promise(() => {}) }, { name: 'five', deadline: 1_500 }),
  ])
  const asked = run.ask('mail', NOBODY)
  await clock.advance(1_700)
  await asked
  const lines = (await metricsText([await metrics.values()])).split('\n').filter((line) => /^[a-z]/.test(line))
  expect(lines.filter((line) => line.includes('opinions_total'))).toEqual([
    'portico_smtp_agent_opinions_total{agent="one",event="mail",opinion="pass",action=""} 1',
    'portico_smtp_agent_opinions_total{agent="two",event="mail",opinion="against",action="tag"} 1',
    'portico_smtp_agent_opinions_total{agent="three",event="mail",opinion="against",action="audit"} 1',
    'portico_smtp_agent_opinions_total{agent="six",event="mail",opinion="against",action="quarantine"} 1',
    'portico_smtp_agent_opinions_total{agent="four",event="mail",opinion="pass",action=""} 1',
    'portico_smtp_agent_opinions_total{agent="five",event="mail",opinion="pass",action=""} 1',
  ])
  expect(lines.filter((line) => line.includes('away_total'))).toEqual([
    'portico_smtp_agent_away_total{agent="four",event="mail",why="failed"} 1',
    'portico_smtp_agent_away_total{agent="five",event="mail",why="deadline"} 1',
  ])
  expect(lines).toContain('portico_smtp_agent_seconds_bucket{le="2",agent="five",event="mail"} 1')
  expect(lines).toContain('portico_smtp_agent_seconds_bucket{le="0.5",agent="five",event="mail"} 0')
})
