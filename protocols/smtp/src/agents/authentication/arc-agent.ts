// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'
import { say } from '../../replies.js'
import type { Opinion } from '../agent.js'
import { type AgentType, agentBasics, agentKeys, serviceKeys } from '../agent-type.js'
import { arcResult } from './arc.js'
import { authenticationOf } from './authentication.js'
import { domainSetting } from './domains.js'

const schema = z
  .strictObject({
    type: z.literal('arc'),
    ...agentKeys({ action: 'tag' }),
    ...serviceKeys({ deadline: 20_000, whenAway: 'pass' }),
    trust: z
      .array(domainSetting())
      .default([])
      .describe(
        'Domains whose seal is believed: a message that one of them has found to satisfy DMARC, and sealed with nobody else behind it, is kept although it fails DMARC here.',
      ),
    fail: z
      .enum(['action', 'pass'])
      .default('pass')
      .describe(
        'What becomes of messages whose chain is broken: the action of this block, or nothing, as for messages without one (RFC 8617 section 5.2).',
      ),
  })
  .describe('What servers before us have found, sealed by them (ARC, RFC 8617).')

type ArcSettings = Settings<typeof schema>

/** RFC 8617 section 10.3. */
const BROKEN = say(550, '5.7.29', 'ARC chain does not verify')

/** Verifies the chain of seals of messages, and tells the agent for DMARC whom it may believe. */
export const arc: AgentType<ArcSettings> = {
  type: 'arc',
  priority: 52,
  schema,
  make(settings, needs) {
    const authentication = authenticationOf(needs)
    return {
      name: 'arc',
      antiSpam: true,
      ...agentBasics(settings),
      open: (session) => {
        authentication.trust(session, settings.trust)
        return {
          async dataEnd(facts, signal): Promise<Opinion> {
            const { arc: verdict } = await authentication.signatures(facts, signal)
            const client = session.peer.family === 'unix' ? undefined : session.peer.address
            const notes = { results: [arcResult(verdict, client)] }
            if (settings.fail === 'pass' || verdict.result !== 'fail') return { kind: 'pass', notes }
            return { kind: 'against', reply: BROKEN, reason: `arc=fail ${verdict.why ?? ''}`.trim(), notes }
          },
        }
      },
    }
  },
}
