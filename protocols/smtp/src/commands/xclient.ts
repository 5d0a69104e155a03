// SPDX-License-Identifier: MIT
import { type ForwardedFacts, takeForwarded } from '@portico/session'
import { admitByAgents } from '../agents/ask-agents.js'
import { offersXclient } from '../connector/access.js'
import { connectorFor } from '../connector/choose-connector.js'
import { parseXclient } from '../connector/xclient-attributes.js'
import type { Dialogue, Next } from '../dialogue.js'
import type { Command } from '../parse.js'
import { REPLIES } from '../replies.js'

/**
 * XCLIENT, as Postfix has it: one of the site's proxies says who its client is. Everything begins anew then, the choice of the
 * connector first: the client has its own rights, and none of the proxy's. Once it was said, it is the client who speaks: what it
 * says of itself is not believed, also where the proxy passes on whatever comes.
 */
export async function xclient(dialogue: Dialogue, command: Extract<Command, { kind: 'xclient' }>): Promise<Next> {
  const { session, settings, port } = dialogue
  if (!offersXclient(dialogue)) return dialogue.mistake(REPLIES.noProxy)
  if (dialogue.envelope !== undefined) return dialogue.mistake(REPLIES.badSequence)
  const facts = parseXclient(command.attributes)
  if (facts === undefined) return dialogue.mistake(REPLIES.badArguments)
  // What one command cannot hold comes in several, with the address in the last one.
  const forwarded = { ...dialogue.forwarded, ...withoutGaps(facts) }
  if (!takeForwarded(session, forwarded)) return dialogue.mistake(REPLIES.badArguments)
  dialogue.forwarded = forwarded
  const connector = connectorFor(session, settings, port)
  if (connector === undefined) return dialogue.dismiss(REPLIES.noConnector, 'refused')
  dialogue.restart(connector)
  const refused = await admitByAgents(dialogue, false)
  if (refused !== undefined) return refused
  dialogue.greet()
  return 'next'
}

function withoutGaps(facts: ForwardedFacts): ForwardedFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
}
