// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'
import { RECIPIENT_FAILURES } from '../replies.js'
import { AddressList, addressEntries } from './address-list.js'
import { type Agent, type Opinion, PASS } from './agent.js'
import { type AgentType, agentBasics, agentKeys } from './agent-type.js'

const schema = z
  .strictObject({
    type: z.literal('recipient-filter'),
    ...agentKeys({ action: 'reject' }),
    block: addressEntries().min(1).describe('Recipients who do not exist for those who are asked about here.'),
  })
  .describe('Recipients that are there for some clients only, such as lists for one’s own people.')

type RecipientFilterSettings = Settings<typeof schema>

/** In the words for somebody who does not exist: they say nothing about who does. */
const UNKNOWN: Opinion = {
  kind: 'against',
  reply: RECIPIENT_FAILURES['no-mailbox'],
  reason: 'recipient is not for strangers',
}

/** Recipients who do not exist for strangers. */
function make(settings: RecipientFilterSettings): Agent {
  const blocked = new AddressList(settings.block)
  const handlers = {
    rcpt: ({ recipient }: { readonly recipient: { readonly local: string; readonly domain: string } }) =>
      blocked.holds(recipient) ? UNKNOWN : PASS,
  }
  return {
    name: 'recipient-filter',
    antiSpam: true,
    ...agentBasics(settings),
    open: () => handlers,
  }
}

/** The agent type `recipient-filter`. */
export const recipientFilter: AgentType<RecipientFilterSettings> = {
  type: 'recipient-filter',
  priority: 70,
  schema,
  make,
}
