// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** What a front end does wrong. */
export type Fault =
  | 'nothing'
  | 'promises-early'
  | 'delivers-what-was-cut'
  | 'delivers-twice'
  | 'changes-a-dot'
  | 'refuses-for-good'

interface Stored {
  readonly letter: number
  readonly attempt: number
  readonly user: string
  readonly hash: string
  readonly queueId: undefined
}

/** Between delivering and saying so, or the other way round. */
const BETWEEN_MS = 30

/**
 * A stage of one process: front end and mailboxes in one server that speaks just enough SMTP. Whoever is killed loses every
 * connection, and what it has promised but not yet done.
 */
export async function toyStage(fault: Fault) {
  const mailboxes: Stored[] = []
  const sockets = new Set<Socket>()
  const later = new Set<NodeJS.Timeout>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    converse(socket, fault, mailboxes, later)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const kill = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    for (const timer of later) clearTimeout(timer)
  }
  return {
    ports: { inbound: port, submission: port },
    users: ['ann', 'ben'],
    passwordOf: () => 'secret',
    victims: { 'front end': kill },
    isMta: () => false,
    settle: () => new Promise((resolve) => setTimeout(resolve, 2 * BETWEEN_MS)),
    copies: async () => mailboxes,
    stop: () => new Promise((resolve) => server.close(resolve)),
  }
}

function converse(socket: Socket, fault: Fault, mailboxes: Stored[], later: Set<NodeJS.Timeout>): void {
  let held = ''
  let recipients: string[] = []
  let data = false
  const store = (text: string, whom: readonly string[]): void => {
    const [, letter, attempt] = /^X-Never-Lose: (\d+)\/(\d+)/.exec(text) ?? []
    const hash = createHash('sha256').update(Buffer.from(text, 'latin1')).digest('base64')
    const one = { letter: Number(letter), attempt: Number(attempt), hash, queueId: undefined }
    for (const user of whom) mailboxes.push({ ...one, user })
    if (fault === 'delivers-twice' && Number(letter) % 10 === 0)
      for (const user of whom) mailboxes.push({ ...one, user })
  }
  const take = (text: string): void => {
    data = false
    const whom = recipients
    const deliver = (): void => store(text, whom)
    const say = (): unknown => socket.write(fault === 'refuses-for-good' ? '554 5.0.0 no\r\n' : '250 2.0.0 taken\r\n')
    const [first, second] = fault === 'promises-early' ? [say, deliver] : [deliver, say]
    first()
    const timer = setTimeout(() => {
      later.delete(timer)
      second()
    }, BETWEEN_MS)
    later.add(timer)
  }
  socket.on('close', () => {
    if (data && fault === 'delivers-what-was-cut' && held.length > 100) store(held, recipients)
  })
  socket.write('220 toy\r\n')
  socket.on('data', (chunk) => {
    held += chunk.toString('latin1')
    for (;;) {
      if (data) {
        const end = held.indexOf('\r\n.\r\n')
        if (end < 0) return
        const text = held.slice(0, end + 2).replace(/^\.\./gm, fault === 'changes-a-dot' ? '..' : '.')
        held = held.slice(end + 5)
        take(text)
      }
      const end = held.indexOf('\r\n')
      if (end < 0) return
      const line = held.slice(0, end)
      held = held.slice(end + 2)
      if (/^MAIL/.test(line)) recipients = []
      const [, user] = /^RCPT TO:<(\w+)@/.exec(line) ?? []
      if (user !== undefined) recipients.push(user)
      data = line === 'DATA'
      socket.write(data ? '354 go\r\n' : /^AUTH/.test(line) ? '235 2.7.0 in\r\n' : '250 2.0.0 ok\r\n')
    }
  })
}
