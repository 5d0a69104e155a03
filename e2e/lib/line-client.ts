// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** A client that speaks lines: for what no mail program can be made to do. */
export class LineClient {
  readonly #socket: Socket
  /** The common name in the server's certificate; undefined without TLS. */
  readonly certificate: string | undefined
  #received = ''
  #ended = false
  #wake: (() => void) | undefined

  private constructor(socket: Socket, certificate?: string) {
    this.#socket = socket
    this.certificate = certificate
    socket.on('data', (chunk) => {
      this.#received += chunk.toString('latin1')
      this.#wake?.()
    })
    const end = (): void => {
      this.#ended = true
      this.#wake?.()
    }
    socket.on('end', end)
    socket.on('close', end)
    socket.on('error', () => undefined)
  }

  /** `from`: the loopback address to come from. */
  static async connect(port: number, from = '127.0.0.1'): Promise<LineClient> {
    const socket = connect({ host: '127.0.0.1', port, localAddress: from })
    socket.setNoDelay(true)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new LineClient(socket)
  }

  /** Over TLS from the first octet; the certificate must be for localhost and from this authority. */
  static async secure(port: number, ca: string): Promise<LineClient> {
    const socket = connectTls({ host: '127.0.0.1', port, ca, servername: 'localhost' })
    await once(socket, 'secureConnect')
    const name: unknown = socket.getPeerCertificate().subject.CN
    return new LineClient(socket, String(name))
  }

  send(text: string): void {
    this.#socket.write(text, 'latin1')
  }

  /** What has come when it matches; everything up to the end of the connection when it ended first. */
  async until(pattern: RegExp, ms = 60_000): Promise<string> {
    const deadline = Date.now() + ms
    while (!pattern.test(this.#received) && !this.#ended) {
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`nothing like ${pattern} in ${ms} ms; it said ${JSON.stringify(this.#received)}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    const said = this.#received
    this.#received = ''
    return said
  }

  /** Sends a command and returns what came up to a match. */
  ask(command: string, pattern: RegExp, ms?: number): Promise<string> {
    this.send(`${command}\r\n`)
    return this.until(pattern, ms)
  }

  /** Waits for the end; returns what came before it. */
  async end(ms?: number): Promise<string> {
    const said = await this.until(/(?!)/, ms)
    return said
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
