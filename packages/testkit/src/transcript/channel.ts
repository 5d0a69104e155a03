// SPDX-License-Identifier: MIT
import { connect, type Socket } from 'node:net'
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls'
import { testCertificates } from '../certificates.js'
import { turns } from '../fake-clock.js'

/** How a side writes: the same conversation has to work however its octets arrive. */
export type Pacing = { readonly kind: 'whole' } | { readonly kind: 'split'; readonly octets: number }

/** How a wait ended. */
export type Waited = 'satisfied' | 'ended' | 'timeout'

/** The test's end of one connection: collects what comes, and waits for more. */
export class Wire {
  /** Octets that no expectation has taken yet, one character each. */
  received = ''
  ended = false
  /** Closed for good, by either side or an error. */
  closed = false
  #socket: Socket
  #wake: (() => void) | undefined
  /** Stays false for a TLS listener until its handshake is over. */
  readonly port: number

  constructor(socket: Socket) {
    this.#socket = socket
    this.port = socket.remotePort ?? 0
    socket.setNoDelay(true)
    this.#watch(socket)
  }

  static async connect(port: number): Promise<Wire> {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new Wire(socket)
  }

  #watch(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1')
      this.#notify()
    })
    socket.on('end', () => {
      this.ended = true
      this.#notify()
    })
    socket.on('close', () => {
      this.ended = true
      this.closed = true
      this.#notify()
    })
    socket.on('error', () => undefined)
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  /** Waits until `satisfied` says so, the peer has finished, or `ms` of real time have passed. */
  async until(satisfied: () => boolean, ms: number): Promise<Waited> {
    const deadline = performance.now() + ms
    while (!satisfied()) {
      if (this.ended) return 'ended'
      const left = deadline - performance.now()
      if (left <= 0) return 'timeout'
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return 'satisfied'
  }

  async send(octets: string, pacing: Pacing): Promise<void> {
    const bytes = Buffer.from(octets, 'latin1')
    const size = pacing.kind === 'whole' ? bytes.length : pacing.octets
    for (let at = 0; at < bytes.length && !this.#socket.destroyed; at += size) {
      this.#socket.write(bytes.subarray(at, at + size))
      if (size < bytes.length) await turns(1)
    }
  }

  /** The client's side of a TLS handshake; rejects when it fails. */
  async tlsClient(): Promise<void> {
    const raw = this.#bare()
    const { ca, client } = testCertificates()
    const secure = tlsConnect({
      socket: raw,
      ca: ca.certificate,
      servername: 'localhost',
      cert: client.certificate,
      key: client.key,
    })
    this.#watch(secure)
    this.#socket = secure
    await settled(secure, 'secureConnect')
  }

  /** The backend's side: what has already arrived of the handshake is given to it. */
  async tlsServer(): Promise<void> {
    const raw = this.#bare()
    const { server } = testCertificates()
    const acceptor = createTlsServer({ cert: server.certificate, key: server.key, allowHalfOpen: true })
    const secure = new Promise<Socket>((resolve, reject) => {
      acceptor.once('secureConnection', resolve)
      acceptor.once('tlsClientError', reject)
      setTimeout(() => reject(new Error('no TLS handshake came')), 3_000).unref()
    })
    if (this.received !== '') raw.unshift(Buffer.from(this.received, 'latin1'))
    this.received = ''
    acceptor.emit('connection', raw)
    this.#socket = await secure
    this.#watch(this.#socket)
  }

  #bare(): Socket {
    const raw = this.#socket
    raw.pause()
    for (const event of ['data', 'end', 'close']) raw.removeAllListeners(event)
    return raw
  }

  /** Sends FIN. */
  fin(): void {
    this.#socket.end()
  }

  reset(): void {
    this.#socket.resetAndDestroy()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

function settled(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve())
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection closed during the TLS handshake')))
  })
}
