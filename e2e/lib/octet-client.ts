// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw } from 'node:zlib'
import { testCertificates } from '@portico/testkit'

/** What takes octets in passing: a hash. */
export interface Sink {
  update(octets: Buffer): unknown
}

/**
 * A client that reads when it is told to, octet by octet if need be: what it does not ask for stays in the kernels' buffers. For
 * large transfers, compression, and half-closed connections.
 */
export class OctetClient {
  readonly #socket: Socket
  #input: Readable
  #output: Writable
  #deflate: DeflateRaw | undefined
  #held: Buffer = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#input = socket
    this.#output = socket
    socket.on('error', () => undefined)
  }

  static async plain(port: number): Promise<OctetClient> {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
    await once(socket, 'connect')
    return new OctetClient(socket)
  }

  static async tls(port: number): Promise<OctetClient> {
    const raw = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
    const socket = connectTls({ socket: raw, ca: testCertificates().ca.certificate, servername: 'localhost' })
    await once(socket, 'secureConnect')
    socket.allowHalfOpen = true
    return new OctetClient(socket)
  }

  /** Resolves when the octets are on their way; the peer need not have read them. */
  async send(octets: Buffer | string): Promise<void> {
    const bytes = typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets
    if (!this.#output.write(bytes)) await once(this.#output, 'drain')
    this.#deflate?.flush(constants.Z_SYNC_FLUSH)
  }

  /** Finishes this side; the other may go on. */
  fin(): void {
    this.#output.end()
  }

  /** The next line without CRLF; `undefined` at the end of the connection. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#held.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#held.toString('latin1', 0, end)
        this.#held = this.#held.subarray(end + 2)
        return line
      }
      const more = await this.#more()
      if (more === undefined) return undefined
      this.#held = Buffer.concat([this.#held, more])
    }
  }

  /** The lines up to one that begins so, which is the last. Throws when the connection ends before. */
  async linesTo(start: string): Promise<string[]> {
    const lines: string[] = []
    for (;;) {
      const line = await this.line()
      if (line === undefined) throw new Error(`the end came before ${start}: ${lines.join('\n')}`)
      lines.push(line)
      if (line.startsWith(start)) return lines
    }
  }

  /** So many octets, or as many as come before the end, given to the sink; how many it were. */
  async take(count: number, sink: Sink): Promise<number> {
    for (let left = count; ; ) {
      const part = this.#held.subarray(0, left)
      this.#held = this.#held.subarray(part.length)
      sink.update(part)
      left -= part.length
      if (left === 0) return count
      const more = await this.#more()
      if (more === undefined) return count - left
      this.#held = more
    }
  }

  /** Everything up to the end of the connection. */
  async rest(): Promise<Buffer> {
    const parts: Buffer[] = []
    await this.take(Number.POSITIVE_INFINITY, { update: (part) => parts.push(part) })
    return Buffer.concat(parts)
  }

  /** Both directions are compressed from now on (RFC 4978). */
  compress(): void {
    if (this.#held.length > 0) throw new Error('octets came before the compression began')
    const deflate = createDeflateRaw()
    deflate.pipe(this.#socket)
    this.#deflate = deflate
    this.#output = deflate
    const inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH })
    inflate.on('error', (error) => inflate.destroy(error))
    this.#input = this.#socket.pipe(inflate)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  async #more(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = this.#input.read() as Buffer | null
      if (chunk !== null) return chunk
      if (this.#input.errored) throw this.#input.errored
      if (this.#input.readableEnded || this.#input.destroyed) return undefined
      await new Promise<void>((resolve) => {
        const events = ['readable', 'end', 'close', 'error']
        const wake = (): void => {
          for (const event of events) this.#input.removeListener(event, wake)
          resolve()
        }
        for (const event of events) this.#input.on(event, wake)
      })
    }
  }
}
