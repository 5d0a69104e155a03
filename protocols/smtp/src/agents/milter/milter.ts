// SPDX-License-Identifier: MIT
import { address, type Settings, size, z } from '@portico/config'
import type { Log } from '@portico/telemetry'
import { say } from '../../replies.js'
import { type Agent, type AgentEvent, type AgentHandlers, type AgentSession, type Opinion, PASS } from '../agent.js'
import { type AgentNeeds, type AgentType, agentBasics, agentKeys, serviceKeys } from '../agent-type.js'
import type { Judgement } from './answers.js'
import { Changes } from './changes.js'
import { ACTIONS } from './constants.js'
import { type MilterPlace, MilterSession, toldRecipient } from './milter-session.js'
import { opinionOf } from './verdict.js'

const CHANGES = ['headers', 'recipients', 'body', 'quarantine'] as const

const schema = z
  .strictObject({
    type: z.literal('milter'),
    ...agentKeys({ action: 'reject' }),
    ...serviceKeys({ deadline: 60_000, whenAway: 'tempfail' }),
    name: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,32}$/, 'expected up to 32 letters, digits and hyphens')
      .optional()
      .describe('Tells several of them apart in the log: `milter NAME`.'),
    endpoint: address().describe('Where it listens: `host:port` or `unix:/path`.'),
    antiSpam: z
      .boolean()
      .default(true)
      .describe(
        'It judges spam: clients with a right not to be asked about are not shown to it. `false` for one that signs, archives or looks for viruses.',
      ),
    changes: z
      .array(z.enum(CHANGES))
      .default([...CHANGES])
      .describe(
        'What it may change: header fields, recipients, the body; or that a message is kept for somebody to look at.',
      ),
    discard: z
      .enum(['refuse', 'allow'])
      .default('refuse')
      .describe(
        'When it wants a message to vanish. `refuse`: the message is a finding like one that it rejects. `allow`: the client is told that all is well, and nobody gets it.',
      ),
    maxBody: size()
      .default(4 * 1024 ** 2)
      .describe(
        'Largest body that it may put in place of a message’s, which is held in memory; with a larger one it counts as away.',
      ),
  })
  .describe('Any mail filter of Sendmail’s and Postfix’s kind (milter), asked as the session goes on.')

type MilterSettings = Settings<typeof schema>

function make(settings: MilterSettings, { wheel, log }: Pick<AgentNeeds, 'wheel' | 'log'>): Agent {
  const { name, endpoint, deadline, antiSpam, changes } = settings
  const actions = changes.reduce((sum, change) => sum | NEEDED[change], 0)
  const place: MilterPlace = { address: endpoint, actions, wheel, timeoutMs: deadline }
  return {
    name: name === undefined ? 'milter' : `milter ${name}`,
    antiSpam,
    ...agentBasics(settings),
    open: (session) => handlersOf(settings, session, new MilterSession(place, session), log),
  }
}

const NEEDED: Readonly<Record<(typeof CHANGES)[number], number>> = {
  headers: ACTIONS.addHeaders | ACTIONS.changeHeaders,
  recipients: ACTIONS.addRecipients | ACTIONS.deleteRecipients,
  body: ACTIONS.changeBody,
  quarantine: ACTIONS.quarantine,
}

function handlersOf(settings: MilterSettings, session: AgentSession, milter: MilterSession, log: Log): AgentHandlers {
  const judged = (judgement: Judgement, event: AgentEvent): Opinion =>
    // A message can vanish only at its end.
    judgement.kind === 'discard' && event !== 'dataEnd'
      ? PASS
      : opinionOf(judgement, event, settings.discard === 'allow')
  // That it is away has been said once; the message is where it counts again.
  const isMissing = (): boolean => milter.broken && settings.whenAway === 'pass'
  return {
    connect: async (_facts, signal) => judged(await milter.connect(signal), 'connect'),
    ehlo: async (facts, signal) => (isMissing() ? PASS : judged(await milter.helo(facts, signal), 'ehlo')),
    mail: async (facts, signal) => judged(await milter.mail(facts, signal), 'mail'),
    rcpt: async ({ recipient, parameters }, signal) =>
      isMissing() ? PASS : judged(await milter.rcpt(toldRecipient(recipient.text, parameters), signal), 'rcpt'),
    async dataEnd(facts, signal) {
      const changes = new Changes(facts, settings.maxBody)
      const judgement = await milter.message(facts, changes, signal)
      const isGoingOn = judgement.kind === 'continue' || judgement.kind === 'accept'
      return isGoingOn ? passed(settings, session, changes, log) : judged(judgement, 'dataEnd')
    },
    end: () => milter.end(),
  }
}

/** It has nothing against the message, perhaps but for wanting somebody to look at it. */
function passed(
  { action, discard }: MilterSettings,
  { id, connector }: AgentSession,
  changes: Changes,
  log: Log,
): Opinion {
  const { quarantine } = changes
  if (quarantine === undefined && changes.leavesNobody)
    return opinionOf({ kind: 'discard' }, 'dataEnd', discard === 'allow')
  if (quarantine === undefined) return changes.opinion()
  const reply = say(451, '4.7.1', 'Message kept back by a content filter, try again later')
  if (typeof action === 'object') return { kind: 'against', reply, reason: quarantine }
  log.warn('a milter wants a message in quarantine, and has none', { session: id, connector, reason: quarantine })
  return { kind: 'refuse', reply }
}

/** The agent type `milter`. */
export const milter: AgentType<MilterSettings> = { type: 'milter', priority: 44, schema, make }
