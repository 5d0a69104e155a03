// SPDX-License-Identifier: MIT
import type { Socket } from 'node:net'
import { type Pdu, PduReader, RTS, rts } from './rpc-pdus.js'

const OUT_LENGTH = 1024 ** 3

/** One request at an RPC proxy: a channel, or an echo. */
export class ProxyChannel {
  readonly method: string
  readonly target: string
  /** By their names in lower case; several of one name in one. */
  readonly fields: ReadonlyMap<string, string>
  /** Octets that its body has. */
  readonly length: number
  /** Octets of it that have come. */
  received = 0
  onPdu: (pdu: Pdu) => void = () => undefined
  /** The peer has finished or is gone. */
  onEnd: () => void = () => undefined
  ended = false
  readonly #socket: Socket
  readonly #reader = new PduReader()

  constructor(socket: Socket, head: string) {
    const [start = '', ...lines] = head.split('\r\n')
    const [method = '', target = ''] = start.split(' ')
    const fields = new Map<string, string>()
    for (const line of lines) {
      const colon = line.indexOf(':')
      const name = line.slice(0, colon).toLowerCase()
      const value = line.slice(colon + 1).trim()
      fields.set(name, fields.has(name) ? `${fields.get(name)}, ${value}` : value)
    }
    this.#socket = socket
    this.method = method
    this.target = target
    this.fields = fields
    this.length = Number(fields.get('content-length') ?? 0)
    const over = (): void => {
      if (this.ended) return
      this.ended = true
      this.onEnd()
    }
    socket.on('end', over).on('close', over)
    if (fields.get('expect') === '100-continue') socket.write('HTTP/1.1 100 Continue\r\n\r\n')
  }

  /** The user who signed in, and with what. */
  get credentials(): string {
    return Buffer.from((this.fields.get('authorization') ?? '').replace(/^basic /i, ''), 'base64').toString()
  }

  get isEcho(): boolean {
    return this.length <= 0x10
  }

  take(octets: Buffer): void {
    this.received += octets.length
    if (this.received > this.length) throw new Error(`${this.method}: more than ${this.length} octets`)
    for (const pdu of this.#reader.push(octets)) this.onPdu(pdu)
  }

  /** The head of the answer on an OUT channel ([MS-RPCH] section 2.1.2.1.4). */
  answer(): void {
    this.send(
      Buffer.from(`HTTP/1.1 200 Success\r\nContent-Type: application/rpc\r\nContent-Length: ${OUT_LENGTH}\r\n\r\n`),
    )
  }

  /** The answer to an echo. */
  echo(): void {
    this.send(Buffer.from('HTTP/1.1 200 Success\r\nContent-Type: application/rpc\r\nContent-Length: 20\r\n\r\n'))
    this.send(rts(RTS.echo))
  }

  refuse(status: string): void {
    this.#socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
  }

  send(octets: Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(octets)
  }

  /** What was sent still arrives. */
  finish(): void {
    this.#socket.end()
  }
}
