// SPDX-License-Identifier: MIT
import { type Cancellation, CancellationSource } from '@portico/base'
import type { TimerWheel } from '@portico/net'
import type { HeaderEdits } from '../message/header-fields.js'
import { say } from '../replies.js'
import { type Agent, type AgentSession, type Opinion, PASS } from './agent.js'
import type { GreetDelaySettings } from './agents-schema.js'

const REFUSED: Opinion = {
  kind: 'refuse',
  reply: say(554, '5.5.1', 'Protocol error: you talked before the greeting'),
  close: true,
}
const MARK: HeaderEdits = { remove: () => false, prepend: ['X-Portico-Early-Talker: yes\r\n'] }

/**
 * Lets a client wait for the greeting. Mail servers wait for it (RFC 5321 section 4.3.1), programs that only throw mail out do not.
 * It bounds its time itself: that is what it is for.
 */
export function greetDelay({ audit, delay, earlyTalk }: GreetDelaySettings, wheel: TimerWheel): Agent {
  return {
    name: 'greet-delay',
    antiSpam: true,
    deadline: undefined,
    whenAway: 'pass',
    audit,
    open(session) {
      let talked = false
      return {
        async connect({ greeting }, signal) {
          // The site's own proxies pass on what they are sent.
          if (greeting && !session.isProxy) talked = await talks(session, wheel, delay, signal)
          return talked && earlyTalk === 'refuse' ? REFUSED : PASS
        },
        headers: () => (talked ? { kind: 'pass', edits: MARK } : PASS),
      }
    },
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
