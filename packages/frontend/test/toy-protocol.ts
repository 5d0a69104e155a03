// SPDX-License-Identifier: MIT
import { connect, type Socket } from 'node:net'
import { z } from '@portico/config'
import { converse } from '@portico/net'
import type { BackendDriver } from '@portico/pool'
import type { Ended, Protocol, Session } from '@portico/session'
import type { Log, LogFacts } from '@portico/telemetry'

interface ToySettings {
  readonly greeting: string
}

/** A protocol of lines: `quit`, `bug`, `starttls`, `who`, and everything else comes back. */
export const toy: Protocol<ToySettings> = {
  name: 'toy',
  alpn: () => ['toy'],
  ports: { plain: 7, implicit: 8 },
  identities: ['password', 'header'],
  schema: z.strictObject({ greeting: z.string().default('hello') }).prefault({}),
  listenerSchema: z.strictObject({ room: z.string().default('hall') }),
  deliveries: [{ name: 'toy-delivery', identities: ['xclient', 'none'] }],
  drivers: () => ['toy', 'toy-delivery'].map(toyDriver),
  serve,
  tooBusy: Buffer.from('busy\r\n'),
}

function toyDriver(protocol: string): BackendDriver {
  return { protocol, reuse: 'never', prepare: async () => ({ kind: 'ready', greeting: undefined }) }
}

async function serve(session: Session, settings: ToySettings): Promise<Ended> {
  const { leg, listener, signal } = session
  const conversation = converse(leg)
  leg.setReader(conversation)
  leg.writeText(`${settings.greeting} ${(listener.options as { room: string }).room}\r\n`)
  session.onDrain = () => signal.abort('draining')
  for (;;) {
    const line = await conversation.readLine(100, signal)
    if (line.kind !== 'line') return session.draining ? 'draining' : 'client-closed'
    const text = line.bytes.toString()
    if (text === 'quit') return 'logout'
    if (text === 'bug') throw new Error('planted bug')
    if (text === 'who') leg.writeText(`${session.id} ${session.networks.join()}\r\n`)
    else leg.writeText(`${text}\r\n`)
  }
}

/** A client of lines. */
export class Client {
  readonly socket: Socket
  #text = ''
  #waiting: (() => void) | undefined
  #closed = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (data) => {
      this.#text += data.toString()
      this.#waiting?.()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#closed = true
      this.#waiting?.()
    })
  }

  static to(port: number, host = '127.0.0.1'): Client {
    return new Client(connect({ port, host }))
  }

  /** The next line, or undefined when the server has closed. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 2)
        return line
      }
      if (this.#closed) return undefined
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
  }

  async ask(text: string): Promise<string | undefined> {
    this.socket.write(`${text}\r\n`)
    return this.line()
  }
}

export interface Line {
  readonly level: string
  readonly message: string
  readonly facts: LogFacts
}

/** A log that keeps its lines, and can be waited for. */
export function keptLog() {
  const lines: Line[] = []
  const waiting = new Set<() => void>()
  const at =
    (level: string) =>
    (message: string, facts: LogFacts = {}) => {
      lines.push({ level, message, facts })
      for (const look of waiting) look()
    }
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log }
  const line = (message: string): Promise<Line> =>
    new Promise((resolve) => {
      const look = () => {
        const found = lines.find((candidate) => candidate.message === message)
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  return { log, lines, line }
}
