// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'
import { comparableDomain, DomainList } from '../message/domain-list.js'
import type { HeaderFields } from '../message/header-fields.js'
import { type HeaderMailbox, headerMailboxes } from '../message/header-mailboxes.js'
import { say } from '../replies.js'
import { AddressList, addressEntries, parseAddressList } from './address-list.js'
import { type Agent, type Opinion, PASS } from './agent.js'
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
    type: z.literal('sender-filter'),
    ...agentKeys({ action: 'reject' }),
    block: addressEntries()
      .default([])
      .describe('Senders who are refused, by their address in MAIL and by those in the From field.'),
    blockFile: z
      .string()
      .optional()
      .describe('File with more of them, one a line; `#` begins a comment. Read again when it changes.'),
    blankSender: z
      .boolean()
      .default(false)
      .describe(
        'Refuses the null sender, and messages without an address in From. Reports about messages that one’s own people have sent come from the null sender (RFC 5321 section 4.5.5).',
      ),
    ownDomains: z
      .boolean()
      .default(false)
      .describe(
        'Refuses From addresses of the site’s own domains when strangers write them. Mailing lists and services that send in one’s name do so, too.',
      ),
    close: z.boolean().default(false).describe('Ends the session with the refusal.'),
  })
  .describe('Senders by their address.')

type SenderFilterSettings = Settings<typeof schema>

const DENIED = say(554, '5.1.0', 'Sender Denied')

/** Senders by their address. Throws when its file cannot be read. */
function make(settings: SenderFilterSettings, needs: FileNeeds & Pick<AgentNeeds, 'domains'>): Agent {
  const block = new AddressList(settings.block)
  const blockFile = openList(settings.blockFile, parseAddressList, needs)
  const ownDomains = new DomainList(settings.ownDomains ? needs.domains : [])
  const isBlocked = (one: HeaderMailbox): boolean => block.holds(one) || blockFile?.current.holds(one) === true
  const against = (reason: string): Opinion => ({
    kind: 'against',
    reply: DENIED,
    reason,
    ...(settings.close ? { close: true } : {}),
  })
  return {
    name: 'sender-filter',
    antiSpam: true,
    ...agentBasics(settings),
    open: () => ({
      mail({ sender }) {
        if (sender === undefined) return settings.blankSender ? against('sender is blank') : PASS
        return isBlocked(sender) ? against('sender is blocked') : PASS
      },
      headers({ fields }) {
        const authors = authorsOf(fields)
        if (authors.length === 0) return settings.blankSender ? against('From is blank') : PASS
        if (authors.some(isBlocked)) return against('From is blocked')
        const isOurs = authors.some(({ domain }) => ownDomains.of(comparableDomain(domain)) !== undefined)
        return isOurs ? against('From is of our own domains') : PASS
      },
    }),
  }
}

/** The addresses of all From fields: which one is shown when there are several, each reader decides for itself. */
function authorsOf(fields: HeaderFields): readonly HeaderMailbox[] {
  return fields.list.filter(({ name }) => name === 'from').flatMap((field) => headerMailboxes(field.text()))
}

function problems({ blockFile }: SenderFilterSettings, { pathOf }: Pick<FileNeeds, 'pathOf'>): readonly AgentProblem[] {
  return listProblems('blockFile', blockFile, parseAddressList, pathOf)
}

/** The agent type `sender-filter`. */
export const senderFilter: AgentType<SenderFilterSettings> = {
  type: 'sender-filter',
  priority: 60,
  schema,
  make,
  problems,
}
