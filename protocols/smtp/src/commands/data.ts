// SPDX-License-Identifier: MIT
import type { Dialogue, Next } from '../dialogue.js'
import { REPLIES } from '../replies.js'
import { concluded, givenUp } from '../transaction/conclude.js'
import { type Branch, branchesOf, type Envelope } from '../transaction/envelope.js'
import { KeptPassage } from '../transaction/kept-passage.js'
import type { Passage } from '../transaction/passage.js'
import { abandonStarted, startData } from '../transaction/start.js'
import { StraightPassage } from '../transaction/straight-passage.js'
import { takeMessage } from '../transaction/take-message.js'

/**
 * DATA (RFC 5321 section 4.1.1.4). The backends are asked first, the octets go through as they come, and 250 is said only after
 * their own. Whatever stops a message on its way cuts the backend connections before the end of the message is sent.
 */
export async function data(dialogue: Dialogue): Promise<Next> {
  const { envelope } = dialogue
  if (envelope === undefined) return dialogue.mistake(REPLIES.mailFirst)
  // Neither may chunks and DATA be mixed, nor binary octets be sent as lines (RFC 3030 sections 2 and 3).
  const { body } = envelope.parameters
  if (envelope.passage !== undefined || envelope.failed || body === 'BINARYMIME')
    return dialogue.mistake(REPLIES.badSequence)
  const branches = branchesOf(envelope)
  if (branches === undefined) {
    dialogue.reply(REPLIES.noRecipients)
    return 'next'
  }
  const passage = await begin(dialogue, envelope, branches)
  if (passage === undefined) return 'next'
  envelope.passage = passage
  dialogue.reply(REPLIES.startMail)
  dialogue.client.flush()
  return (await takeMessage(dialogue, passage.pump)) ?? finish(dialogue, envelope, passage)
}

/** Undefined: the client was told that there is no message to be sent. */
async function begin(
  dialogue: Dialogue,
  envelope: Envelope,
  branches: readonly Branch[],
): Promise<Passage | undefined> {
  const { agents, connector } = dialogue
  if (agents?.needsBody() === true) return new KeptPassage(dialogue, envelope, agents, 'data')
  const refusal = await startData(dialogue, branches)
  const begun = branches.filter((branch) => branch.refusal === undefined)
  if (refusal === undefined || (connector.lmtp && begun.length > 0))
    return new StraightPassage(dialogue, envelope, begun, 'data')
  dialogue.reply(refusal)
  await abandonStarted(dialogue, branches)
  dialogue.closeTransaction()
  dialogue.leaveEmpty(envelope.branches)
  return undefined
}

/** The end of the message is here: either it goes on, or nothing of it does. */
export async function finish(dialogue: Dialogue, envelope: Envelope, passage: Passage): Promise<Next> {
  const { pump } = passage
  const outcome = pump.fault ?? (await passage.verdicts())
  if ('why' in outcome) {
    const next = givenUp(dialogue, envelope, outcome, pump.size)
    return pump.endless ? 'too-many-errors' : next
  }
  return concluded(dialogue, envelope, outcome, pump.size)
}
