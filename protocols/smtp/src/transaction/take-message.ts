// SPDX-License-Identifier: MIT
import type { Ended } from '@portico/session'
import type { Dialogue } from '../dialogue.js'
import type { MessagePump } from './message-pump.js'

/** Takes from the client what it has announced: a message, or a chunk. A word: the session is over, and the message with it. */
export async function takeMessage(dialogue: Dialogue, pump: MessagePump): Promise<Ended | undefined> {
  const { session, client } = dialogue
  session.record.begin()
  try {
    do {
      const end = await client.pump(pump)
      if (end === 'done') continue
      dialogue.dropTransaction()
      return end === 'sink-closed' ? 'server-bug' : client.ended
    } while (await pump.judged())
    return undefined
  } finally {
    pump.stop()
    session.record.finish('relay')
  }
}
