// SPDX-License-Identifier: MIT
import { address, type Settings, size, z } from '@portico/config'
import type { Log } from '@portico/telemetry'
import { say } from '../../replies.js'
import { type Agent, type AgentSession, type Opinion, PASS } from '../agent.js'
import { type AgentNeeds, type AgentType, agentBasics, agentKeys, serviceKeys } from '../agent-type.js'
import { Endpoints } from './endpoints.js'
import type { ScanResult } from './reply.js'
import { scan } from './scan.js'

const schema = z
  .strictObject({
    type: z.literal('clamav'),
    ...agentKeys({ action: 'reject' }),
    ...serviceKeys({ deadline: 60_000, whenAway: 'tempfail' }),
    endpoints: z
      .array(address())
      .min(1)
      .prefault(['unix:/run/clamav/clamd.ctl'])
      .describe(
        'Where clamd listens: `host:port` or `unix:/path`. The next one is asked when one does not answer, each for its share of the deadline.',
      ),
    maxSize: size()
      .default(25 * 1024 ** 2)
      .describe('Larger messages are not shown to it: at most its StreamMaxLength.'),
    tooBig: z
      .enum(['reject', 'tempfail', 'pass'])
      .default('reject')
      .describe(
        'A message that is larger, or too large for clamd, so that nobody knows what is in it. `reject`: refused with 552. `tempfail`: put off. `pass`: goes on unseen, with a line in the log.',
      ),
  })
  .describe(
    'ClamAV looks for viruses in the whole message. It is asked about everybody: no exemption from anti-spam agents counts here.',
  )

type ClamavSettings = Settings<typeof schema>

function make(settings: ClamavSettings, { clock, wheel, log }: Pick<AgentNeeds, 'clock' | 'wheel' | 'log'>): Agent {
  const { endpoints: addresses, deadline, maxSize } = settings
  const endpoints = new Endpoints({ addresses, deadline, clock, wheel })
  return {
    name: 'clamav',
    antiSpam: false,
    ...agentBasics(settings),
    open: (session) => ({
      async dataEnd({ message }, signal): Promise<Opinion> {
        if (message.size > maxSize) return unseen(settings, session, message.size, log)
        const result = await endpoints.ask((line, patience) => scan(line, message, patience), signal)
        return result.kind === 'too-big' ? unseen(settings, session, message.size, log) : opinionOf(result)
      },
    }),
  }
}

function opinionOf(result: Exclude<ScanResult, { kind: 'too-big' }>): Opinion {
  if (result.kind === 'clean') return PASS
  const { signature } = result
  return { kind: 'against', reply: say(554, '5.7.1', `Message contains ${signature}`), reason: signature }
}

function unseen({ tooBig }: ClamavSettings, { id, connector }: AgentSession, octets: number, log: Log): Opinion {
  switch (tooBig) {
    case 'pass':
      log.warn('a message was too big for ClamAV and went on unseen', { session: id, connector, size: octets })
      return PASS
    case 'tempfail':
      return { kind: 'refuse', reply: say(451, '4.3.4', 'Message too big to be scanned for now') }
    case 'reject':
      return { kind: 'refuse', reply: say(552, '5.3.4', 'Message too big to be scanned') }
  }
}

/** The agent type `clamav`. */
export const clamav: AgentType<ClamavSettings> = { type: 'clamav', priority: 42, schema, make }
