// SPDX-License-Identifier: MIT
import { connect, type Socket } from 'node:net'
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls'
import { testCertificates } from '../certificates.js'
import { turns } from '../fake-clock.js'

/** How a side writes: the same conversation has to work however its octets arrive. */
export type Pacing = { readonly kind: 'whole' } | { readonly kind: 'split'; readonly octets: number }

/** Octets at each end of a long send that go out as finely as asked; nothing but more of the same lies between them. */
const FINELY = 2_048
/** The pieces between them: prime, so that they do not keep step with anybody's buffers. */
const STRIDE = 61

/** How a wait ended. */
export type Waited = 'satisfied' | 'ended' | 'timeout'

/** The test's end of one connection: collects what comes, and waits for more. */
export class Wire {
  /** Octets that no expectation has taken yet, one character each. */
  received = ''
  ended = false
  /** Closed for good, by either side or an error. */
  closed = false
  /** The transcript has spoken of the peer's end: what it sends now goes out on the half that is still open. */
  endNoted = false
  #socket: Socket
  /** The TCP connection, below TLS too. */
  readonly #tcp: Socket
  #wake: (() => void) | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    this.#tcp = socket
    socket.setNoDelay(true)
    this.#watch(socket)
  }

  static async connect(port: number, from?: string): Promise<Wire> {
    const own = from === undefined ? {} : { localAddress: from }
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, ...own })
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
    for (let at = 0; at < bytes.length && !this.#socket.destroyed; ) {
      const inside = size < STRIDE && at >= FINELY && at + FINELY + STRIDE < bytes.length
      const next = at + (inside ? STRIDE : size)
      this.#socket.write(bytes.subarray(at, next))
      if (size < bytes.length) await turns(1)
      at = next
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

  /** Sends RST, which only TCP has: with TLS the connection below is reset. */
  reset(): void {
    this.#tcp.resetAndDestroy()
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
