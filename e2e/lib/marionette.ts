// SPDX-License-Identifier: MIT
import { connect, type Socket } from 'node:net'

/** The remote control of Thunderbird and Firefox: messages of a length, a colon and JSON over TCP. */
export class Marionette {
  readonly #socket: Socket
  readonly #messages: AsyncIterator<unknown>
  #last = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#messages = messagesOf(socket)
  }

  /** Opens a session that may reach into the program itself. */
  static async open(port: number): Promise<Marionette> {
    const socket = connect({ host: '127.0.0.1', port })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    const marionette = new Marionette(socket)
    await marionette.#messages.next()
    await marionette.command('WebDriver:NewSession', {})
    await marionette.command('Marionette:SetContext', { value: 'chrome' })
    await marionette.command('WebDriver:SetTimeouts', { script: 110_000 })
    return marionette
  }

  /** The value of the answer; throws with the program's words when it is an error. */
  async command(name: string, parameters: unknown): Promise<unknown> {
    this.#last += 1
    const text = JSON.stringify([0, this.#last, name, parameters])
    this.#socket.write(`${Buffer.byteLength(text)}:${text}`)
    const { value, done } = await this.#messages.next()
    if (done) throw new Error(`the program ended during ${name}`)
    const [, , error, result] = value as [number, number, unknown, { readonly value?: unknown } | null]
    if (error !== null) throw new Error(`${name}: ${JSON.stringify(error)}`)
    return result?.value
  }

  /** Runs the body of an asynchronous function within the program; its arguments are in `args`. */
  run(body: string, ...args: readonly unknown[]): Promise<unknown> {
    const script = `const args = [...arguments], tell = args.pop();
(async () => { ${body} })().then((value) => tell({ value }), (error) => tell({ error: String(error) }))`
    return this.command('WebDriver:ExecuteAsyncScript', { script, args }).then((said) => {
      const { value, error } = said as { readonly value?: unknown; readonly error?: string }
      if (error !== undefined) throw new Error(error)
      return value
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}

async function* messagesOf(socket: Socket): AsyncGenerator<unknown> {
  let held = Buffer.alloc(0)
  for await (const chunk of socket) {
    held = Buffer.concat([held, chunk as Buffer])
    for (let colon = held.indexOf(':'); colon > 0; colon = held.indexOf(':')) {
      const end = colon + 1 + Number(held.toString('latin1', 0, colon))
      if (held.length < end) break
      yield JSON.parse(held.toString('utf8', colon + 1, end))
      held = held.subarray(end)
    }
  }
}
