// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'
import { say } from '../../replies.js'
import type { DataEndFacts, Notes, Opinion } from '../agent.js'
import { type AgentType, agentBasics, agentKeys, serviceKeys } from '../agent-type.js'
import { authenticationOf } from './authentication.js'
import { mayBeOf } from './author.js'
import { type DkimVerdict, dkimResults } from './dkim.js'
import { domainSetting, isWithin } from './domains.js'

const schema = z
  .strictObject({
    type: z.literal('dkim'),
    ...agentKeys({ action: 'reject' }),
    ...serviceKeys({ deadline: 20_000, whenAway: 'pass' }),
    require: z
      .array(domainSetting())
      .default([])
      .describe(
        'Domains that sign all their mail: a message of one of them, or of a domain below, that has no good signature of it gets the action of this block.',
      ),
    fail: z
      .enum(['action', 'pass'])
      .default('pass')
      .describe(
        'What becomes of messages of anybody with signatures of which none is good: the action of this block, or nothing, as for messages without one (RFC 6376 section 6.3).',
      ),
  })
  .describe('Signatures of messages (DKIM, RFC 6376).')

type DkimSettings = Settings<typeof schema>

/** Verifies the signatures of messages. */
export const dkim: AgentType<DkimSettings> = {
  type: 'dkim',
  priority: 51,
  schema,
  make(settings, needs) {
    const authentication = authenticationOf(needs)
    return {
      name: 'dkim',
      antiSpam: true,
      ...agentBasics(settings),
      open: () => ({
        async dataEnd(facts, signal): Promise<Opinion> {
          const { dkim: verdicts } = await authentication.signatures(facts, signal)
          return opinionOf(verdicts, facts, settings)
        },
      }),
    }
  },
}

/** What lacks a signature that it has to have is refused for good only where no key was out of reach. */
function opinionOf(verdicts: readonly DkimVerdict[], { fields }: DataEndFacts, settings: DkimSettings): Opinion {
  const notes: Notes = { results: dkimResults(verdicts) }
  const away = verdicts.some(({ result }) => result === 'temperror')
  for (const domain of settings.require) {
    if (!mayBeOf(fields, domain) || isSignedBy(verdicts, domain)) continue
    return against(`No valid DKIM signature of ${domain}`, `dkim: not signed by ${domain}`, away, notes)
  }
  const failed = verdicts.length > 0 && !verdicts.some(({ result }) => result === 'pass')
  if (settings.fail === 'pass' || !failed) return { kind: 'pass', notes }
  return against('No valid DKIM signature', 'dkim: no good signature', away, notes)
}

function isSignedBy(verdicts: readonly DkimVerdict[], domain: string): boolean {
  return verdicts.some((verdict) => verdict.result === 'pass' && isWithin(verdict.domain ?? '', domain))
}

/** RFC 6376 section 6.3, RFC 7372 section 3.1. */
function against(text: string, reason: string, away: boolean, notes: Notes): Opinion {
  const reply = away ? say(451, '4.4.3', `${text} could be found for now`) : say(550, '5.7.20', text)
  return { kind: 'against', reply, reason, notes }
}
