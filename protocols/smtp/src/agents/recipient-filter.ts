// SPDX-License-Identifier: MIT
import { RECIPIENT_FAILURES } from '../replies.js'
import { AddressList } from './address-list.js'
import { type Agent, type Opinion, PASS } from './agent.js'
import type { RecipientFilterSettings } from './agents-schema.js'

/** In the words for somebody who does not exist: they say nothing about who does. */
const UNKNOWN: Opinion = { kind: 'refuse', reply: RECIPIENT_FAILURES['no-mailbox'] }

/** Recipients who do not exist for strangers. */
export function recipientFilter({ audit, block }: RecipientFilterSettings): Agent {
  const blocked = new AddressList(block)
  const handlers = {
    rcpt: ({ recipient }: { readonly recipient: { readonly local: string; readonly domain: string } }) =>
      blocked.holds(recipient) ? UNKNOWN : PASS,
  }
  return {
    name: 'recipient-filter',
    antiSpam: true,
    deadline: undefined,
    whenAway: 'pass',
    audit,
    open: () => handlers,
  }
}
