// SPDX-License-Identifier: MIT

import { type Cancellation, CancellationSource } from '@portico/base'
import { duration, type Settings, z } from '@portico/config'
import type { TimerWheel } from '@portico/net'
import { say } from '../replies.js'
import { type Agent, type AgentSession, type Opinion, PASS } from './agent.js'
import { type AgentNeeds, type AgentType, agentBasics, agentKeys } from './agent-type.js'

const schema = z
  .strictObject({
    type: z.literal('greet-delay'),
    ...agentKeys({ action: 'reject' }),
    delay: duration()
      .refine(
        (ms) => ms > 0 && ms <= 30_000,
        'expected at most 30s, which some senders wait for a greeting and no longer',
      )
      .default(5_000)
      .describe('How long a client waits for the greeting.'),
  })
  .describe('Who talks before the greeting (RFC 5321 section 4.3.1) is no mail server.')

type GreetDelaySettings = Settings<typeof schema>

const EARLY: Opinion = {
  kind: 'against',
  reply: say(554, '5.5.1', 'Protocol error: you talked before the greeting'),
  reason: 'talked before the greeting',
  close: true,
}

/**
 * Lets a client wait for the greeting. Mail servers wait for it (RFC 5321 section 4.3.1), programs that only throw mail out do not.
 * It bounds its time itself: that is what it is for.
 */
function make(settings: GreetDelaySettings, { wheel }: Pick<AgentNeeds, 'wheel'>): Agent {
  return {
    name: 'greet-delay',
    antiSpam: true,
    ...agentBasics(settings),
    open: (session) => ({
      async connect({ greeting }, signal) {
        // The site's own proxies pass on what they are sent.
        if (!greeting || session.isProxy) return PASS
        return (await talks(session, wheel, settings.delay, signal)) ? EARLY : PASS
      },
    }),
  }
}

/** Whether the client says something within the time; one that leaves has said nothing. */
async function talks(session: AgentSession, wheel: TimerWheel, ms: number, signal: Cancellation): Promise<boolean> {
  const wait = new CancellationSource()
  const limit = wheel.add(ms, () => wait.abort('deadline'))
  signal.onAbort = (reason) => wait.abort(reason)
  const heard = await session.input(wait)
  signal.onAbort = undefined
  limit.cancel()
  return heard === 'input'
}

/** The agent type `greet-delay`. */
export const greetDelay: AgentType<GreetDelaySettings> = { type: 'greet-delay', priority: 14, schema, make }
