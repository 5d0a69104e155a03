// SPDX-License-Identifier: MIT
import { NEVER } from '@portico/base'
import { duration, type Settings, z } from '@portico/config'
import { clientKey } from '@portico/net'
import type { Mailbox } from '../address.js'
import { RECIPIENT_FAILURES, say } from '../replies.js'
import { AddressList, addressEntries, exceptRecipients, parseAddressList } from './address-list.js'
import { type Agent, type AgentHandlers, type AgentSession, type Opinion, PASS } from './agent.js'
import {
  type AgentNeeds,
  type AgentProblem,
  type AgentType,
  agentBasics,
  agentKeys,
  type FileNeeds,
} from './agent-type.js'
import { listProblems, openList } from './list-file.js'

const schema = z
  .strictObject({
    type: z.literal('recipient-filter'),
    ...agentKeys({ action: 'reject' }),
    block: addressEntries().default([]).describe('Recipients who do not exist for those who are asked about here.'),
    blockFile: z
      .string()
      .optional()
      .describe('File with more of them, one a line; `#` begins a comment. Read again when it changes.'),
    maxUnknown: z
      .strictObject({
        recipients: z.int().min(1).default(20).describe('So many and no more.'),
        per: duration()
          .refine((ms) => ms > 0, 'expected a time')
          .default(10 * 60_000)
          .describe('Counted from the first one on, and forgotten then.'),
      })
      .optional()
      .describe(
        'How many recipients that do not exist a client address (IPv6: its /64) may ask for; then it gets no recipient accepted, except `exceptRecipients`. When absent any number.',
      ),
    exceptRecipients: exceptRecipients(),
  })
  .describe(
    'Recipients that are there for some clients only, such as lists for one’s own people, and clients that guess names.',
  )

type RecipientFilterSettings = Settings<typeof schema>
type Needs = FileNeeds & Pick<AgentNeeds, 'state'>

/** In the words for somebody who does not exist: they say nothing about who does. */
const UNKNOWN: Opinion = {
  kind: 'against',
  reply: RECIPIENT_FAILURES['no-mailbox'],
  reason: 'recipient is not for strangers',
}
const HARVEST: Opinion = {
  kind: 'against',
  reply: say(550, '5.7.1', 'Too many unknown recipients'),
  reason: 'too many unknown recipients',
}

/** Recipients who do not exist for strangers. Throws when its file cannot be read. */
function make(settings: RecipientFilterSettings, needs: Needs): Agent {
  const block = new AddressList(settings.block)
  const blockFile = openList(settings.blockFile, parseAddressList, needs)
  const isBlocked = (one: Mailbox): boolean => block.holds(one) || blockFile?.current.holds(one) === true
  const excepted = new AddressList(settings.exceptRecipients)
  return {
    name: 'recipient-filter',
    antiSpam: true,
    ...agentBasics(settings),
    open(session) {
      const guesses = guessesOf(session, settings, needs.state)
      const handlers: AgentHandlers = {
        rcpt({ recipient }) {
          if (guesses === undefined) return isBlocked(recipient) ? UNKNOWN : PASS
          return guesses.tooMany().then((tooMany) => {
            if (tooMany) return excepted.holds(recipient) ? PASS : HARVEST
            if (!isBlocked(recipient)) return PASS
            guesses.count()
            return UNKNOWN
          })
        },
        unknown: () => guesses?.count(),
      }
      return handlers
    },
  }
}

/** How many recipients that do not exist a client has asked for: all sessions and nodes count together. */
function guessesOf({ peer }: AgentSession, { maxUnknown }: RecipientFilterSettings, state: Needs['state']) {
  if (maxUnknown === undefined) return undefined
  const { recipients, per } = maxUnknown
  const key = `smtp unknown recipients ${clientKey(peer)}`
  return {
    tooMany: async () => (await state.increment(key, 0, per, NEVER)) >= recipients,
    count: () => void state.increment(key, 1, per, NEVER),
  }
}

function problems(
  { block, blockFile, maxUnknown }: RecipientFilterSettings,
  { pathOf }: Pick<FileNeeds, 'pathOf'>,
): readonly AgentProblem[] {
  if (block.length === 0 && blockFile === undefined && maxUnknown === undefined)
    return [{ path: [], expectation: 'expected block, blockFile or maxUnknown' }]
  return listProblems('blockFile', blockFile, parseAddressList, pathOf)
}

/** The agent type `recipient-filter`. */
export const recipientFilter: AgentType<RecipientFilterSettings> = {
  type: 'recipient-filter',
  priority: 70,
  schema,
  make,
  problems,
}
