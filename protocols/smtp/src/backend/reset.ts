// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import { converse, type Leg } from '@portico/net'
import { isReply, readReply } from './answer.js'
import { attributesOf, type SmtpGreeting } from './greeting.js'

/** Clients that one connection serves: servers count, too, and close (Exim does after 1,000 messages). */
const MOST_CLIENTS = 100

/**
 * Makes a connection ready for another client, if nothing of the last one will be left on it. True only on the backend's word: it
 * has confirmed RSET, and what XCLIENT has set it offers to be set again. AUTH cannot be taken back.
 */
export async function resetConnection(leg: Leg, greeting: SmtpGreeting, signal: Cancellation): Promise<boolean> {
  greeting.served += 1
  if (!greeting.authenticated && greeting.served < MOST_CLIENTS && isReplaceable(greeting)) {
    const conversation = converse(leg)
    leg.writeText('RSET\r\n')
    if (isReply(await readReply(conversation, signal), 250)) return true
  }
  leg.writeText('QUIT\r\n')
  return false
}

/**
 * Whether each attribute of the client that XCLIENT has set was offered still in the EHLO after it. Postfix offers none once ADDR has
 * named somebody whom it does not trust.
 */
function isReplaceable({ xclient, extensions }: SmtpGreeting): boolean {
  const offered = attributesOf(extensions, 'XCLIENT')
  return [...xclient].every((attribute) => offered.has(attribute))
}
