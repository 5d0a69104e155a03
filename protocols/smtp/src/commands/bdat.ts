// SPDX-License-Identifier: MIT
import type { Ended } from '@portico/session'
import { isSignedIn } from '../connector/access.js'
import { sizeLimit } from '../connector/permissions.js'
import type { Dialogue, Next } from '../dialogue.js'
import type { BdatCommand } from '../parse.js'
import { REPLIES, type Reply, say } from '../replies.js'
import { givenUp } from '../transaction/conclude.js'
import { branchesOf, type Envelope } from '../transaction/envelope.js'
import { type Fault, faultWith } from '../transaction/fault.js'
import { KeptPassage } from '../transaction/kept-passage.js'
import { mostSwallowed } from '../transaction/message-pump.js'
import type { Passage } from '../transaction/passage.js'
import { abandonStarted, startData } from '../transaction/start.js'
import { StraightPassage, takesChunks } from '../transaction/straight-passage.js'
import { takeMessage } from '../transaction/take-message.js'
import { finish } from './data.js'

/**
 * BDAT (RFC 3030 section 2). Each chunk goes on to those backends that take chunks, and has their answer; the others get the
 * message in DATA form. The octets behind the command are taken whatever becomes of them, for they are no commands.
 */
export async function bdat(dialogue: Dialogue, command: BdatCommand): Promise<Next> {
  const { envelope, connector } = dialogue
  if (command.size > mostSwallowed(sizeLimit(connector, isSignedIn(dialogue)))) return endless(dialogue)
  if (envelope === undefined) return (await swallow(dialogue, command)) ?? dialogue.mistake(REPLIES.mailFirst)
  const passage = envelope.failed ? REPLIES.chunkFailed : (envelope.passage ?? (await begin(dialogue, envelope)))
  if ('code' in passage || 'why' in passage)
    return (await swallow(dialogue, command)) ?? refused(dialogue, envelope, command, passage)
  envelope.passage = passage
  passage.pump.beginChunk(command.size, command.last)
  const over = await takeMessage(dialogue, passage.pump)
  if (over !== undefined) return over
  if (command.last || passage.pump.endless) return finish(dialogue, envelope, passage)
  const answer = passage.pump.fault ?? (await passage.chunkAnswer())
  if (answer !== undefined && 'why' in answer) return refused(dialogue, envelope, command, answer)
  dialogue.reply(answer ?? say(250, '2.0.0', `${command.size} octets received`))
  return 'next'
}

/** A reply: there is no message to be sent. A fault: there will be none. */
async function begin(dialogue: Dialogue, envelope: Envelope): Promise<Passage | Reply | Fault> {
  const { agents, connector } = dialogue
  const branches = branchesOf(envelope)
  if (branches === undefined) return REPLIES.noRecipients
  if (agents?.needsBody() === true) return new KeptPassage(dialogue, envelope, agents, 'plain')
  const refusal = await startData(
    dialogue,
    branches.filter((branch) => !takesChunks(branch)),
  )
  const begun = branches.filter((branch) => branch.refusal === undefined)
  if (refusal === undefined || (connector.lmtp && begun.length > 0))
    return new StraightPassage(dialogue, envelope, begun, 'plain')
  await abandonStarted(dialogue, branches)
  return faultWith('backend-refused', refusal)
}

/** A chunk that was refused: so are all that follow, up to the last one. */
function refused(dialogue: Dialogue, envelope: Envelope, { last }: BdatCommand, why: Reply | Fault): Next {
  if ('code' in why) {
    const times = last && dialogue.connector.lmtp ? envelope.recipients.length : 1
    for (let said = 0; said < Math.max(1, times); said += 1) dialogue.reply(why)
    return 'next'
  }
  if (last) return givenUp(dialogue, envelope, why, 0)
  envelope.failed = true
  envelope.passage?.close()
  for (const { backend } of envelope.branches) backend.drop()
  dialogue.reply(why.reply)
  return why.close ? 'refused' : 'next'
}

/** Takes the octets of a chunk that nobody wants. A word: the session is over. */
async function swallow(dialogue: Dialogue, { size }: BdatCommand): Promise<Ended | undefined> {
  if (size > mostSwallowed(dialogue.connector.maxSize)) return endless(dialogue)
  if (await dialogue.client.swallow(size)) return undefined
  dialogue.dropTransaction()
  return dialogue.client.ended
}

function endless(dialogue: Dialogue): Ended {
  dialogue.dropTransaction()
  return dialogue.dismiss(REPLIES.chunkEndless, 'too-many-errors')
}
