// SPDX-License-Identifier: MIT
import type { Socket } from 'node:net'
import type { Accounts } from '../accounts.js'
import { CommandInput } from './input.js'
import { ImapSession } from './session.js'

/** Serves one IMAP connection. */
export function serveImap(socket: Socket, name: string, accounts: Accounts): void {
  const session = new ImapSession(
    name,
    accounts,
    (text) => socket.write(text, 'latin1'),
    () => socket.end(),
  )
  const input = new CommandInput(() => socket.write('+ go on\r\n'))
  socket.on('data', (bytes: Buffer) => {
    input.push(bytes)
    socket.cork()
    for (let next = input.next(); next !== undefined && socket.writable; next = input.next()) {
      if (next.kind === 'command') session.receive(next.text)
      else {
        socket.end('* BYE too long\r\n')
        break
      }
    }
    socket.uncork()
  })
  socket.on('close', () => session.close())
}
