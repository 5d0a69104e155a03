// SPDX-License-Identifier: MIT
import { LineClient } from './line-client.js'

/** All lines of a reply. */
const REPLY = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/m

/**
 * Sends octets that no mail program sends: each command after the reply to the one before, and then all the octets in one write. Resolves
 * with the replies to them, up to the end of the connection; when a command was refused, with that reply only.
 */
export async function sendRaw(port: number, commands: readonly string[], octets: string): Promise<readonly string[]> {
  const client = await LineClient.connect(port)
  try {
    await client.until(REPLY)
    for (const command of commands) {
      const reply = await client.ask(command, REPLY)
      if (!/^[23]/.test(reply)) return [reply]
    }
    client.send(octets)
    return (await client.end()).match(new RegExp(REPLY, 'gm')) ?? []
  } finally {
    client.destroy()
  }
}
