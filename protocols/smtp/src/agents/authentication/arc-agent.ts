// SPDX-License-Identifier: MIT

import type { Settings } from '@portico/config'
import { z } from '@portico/config'
import type { Opinion } from '../agent.js'
import { type AgentType, agentBasics, placeKeys, serviceKeys } from '../agent-type.js'
import { arcResult } from './arc.js'
import { authenticationOf } from './authentication.js'
import { domainSetting } from './domains.js'

const schema = z
  .strictObject({
    type: z.literal('arc'),
    ...placeKeys(),
    ...serviceKeys({ deadline: 20_000, whenAway: 'pass' }),
    trust: z
      .array(domainSetting())
      .default([])
      .describe(
        'Domains whose seal is believed: a message that one of them has found to satisfy DMARC, and sealed with nobody else behind it, is kept although it fails DMARC here.',
      ),
  })
  .describe(
    'What servers before us have found, sealed by them (ARC, RFC 8617). It refuses nothing: a broken chain counts as none.',
  )

type ArcSettings = Settings<typeof schema>

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
            return { kind: 'pass', notes: { results: [arcResult(verdict, client)] } }
          },
        }
      },
    }
  },
}
