// SPDX-License-Identifier: MIT
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Endpoint, Timer } from '@portico/base'
import type {
  BackendTls,
  Leg,
  LegEnd,
  LegFacts,
  LegReader,
  Octets,
  Released,
  TlsAcceptor,
  TlsFacts,
  UpgradeFailure,
  UpgradeResult,
} from './leg.js'
import { legErrorCode, upgradeFailure } from './leg-errors.js'
import { type InputSource, LegInput } from './leg-input.js'
import { destroySocket, forgetEnd, watchEnd } from './socket-transport.js'
import type { IdleTimer, TimerWheel } from './timer-wheel.js'
import { type Handshake, ServerAcceptor } from './tls-acceptor.js'
import { connectTls } from './tls-client.js'
import type { Transport, TransportOwner } from './transport.js'
import { overSocket } from './transports.js'

let lastId = 0

/** A leg over a socket. The reader stays behind it; TLS replaces the transport below it. */
export class SocketLeg implements Leg, InputSource, TransportOwner {
  readonly id: number
  facts: LegFacts
  tls: TlsFacts | undefined
  bytesWritten = 0
  readonly #wheel: TimerWheel
  readonly #input: LegInput
  #transport: Transport
  /** During a handshake: the socket that node:tls has. */
  #raw: Socket | undefined
  #released: Socket | undefined
  /** Octets that were read before the session's own: a PROXY header. */
  #foreign = 0
  #gone: (() => void) | undefined
  #ended = false
  #closed = false
  #socketClosed = false
  #why: LegEnd | undefined
  #idle: IdleTimer | undefined
  #deadline: Timer | undefined
  /** A writer was told to stop, and `drain` has not come yet. */
  #stalled = false
  #upgrading: ((handshake: Handshake | UpgradeFailure) => void) | undefined

  /** `gone`: its socket is closed, be it released or not. */
  constructor(
    open: (owner: TransportOwner) => Transport,
    facts: LegFacts,
    { wheel, gone }: { readonly wheel: TimerWheel; readonly gone?: () => void },
  ) {
    lastId += 1
    this.id = lastId
    this.facts = facts
    this.#wheel = wheel
    this.#input = new LegInput(this)
    this.#gone = gone
    this.#transport = open(this)
  }

  get bytesRead(): number {
    return this.#input.taken
  }

  get state(): Leg['state'] {
    if (this.#closed) return 'closed'
    if (this.#ended) return 'ended'
    return this.#input.sawEof ? 'peer-ended' : 'open'
  }

  get paused(): boolean {
    return this.#input.paused
  }

  get reportsEofWhilePaused(): boolean {
    return true
  }

  get buffered(): number {
    return this.#input.buffered + this.#transport.unread
  }

  setReader(reader: LegReader): void {
    this.#input.setReader(reader)
  }

  pause(): void {
    this.#input.pause()
  }

  resume(): void {
    this.#input.resume()
  }

  get needsDrain(): boolean {
    return this.#stalled
  }

  get queued(): number {
    return this.#transport.queued
  }

  write(bytes: Octets): boolean {
    if (!this.#mayWrite()) return false
    this.bytesWritten += bytes.length
    this.#transport.write(bytes)
    return this.#mayGoOn()
  }

  writeView(view: Octets): boolean {
    return this.write(view)
  }

  writeText(latin1: string): boolean {
    if (!this.#mayWrite()) return false
    this.bytesWritten += latin1.length
    this.#transport.writeText(latin1)
    return this.#mayGoOn()
  }

  batch(fill: () => void): void {
    const transport = this.#transport
    transport.cork()
    try {
      fill()
    } finally {
      transport.uncork()
    }
  }

  end(): void {
    if (this.#ended || this.#closed || this.#upgrading !== undefined) return
    this.#ended = true
    this.#transport.end()
  }

  close(lingerMs: number): void {
    if (this.#closed) return
    if (lingerMs <= 0 || this.#upgrading !== undefined) {
      this.destroy()
      return
    }
    // Closing a socket with unread octets sends a reset, which can overtake the last reply: read on until the peer has seen it.
    this.#input.discard()
    this.end()
    this.#idle?.cancel()
    this.#idle = undefined
    this.#deadline?.cancel()
    this.#deadline = this.#wheel.add(lingerMs, () => this.destroy())
  }

  destroy(options?: { readonly reset?: boolean }): void {
    this.#finish({ kind: 'destroyed' }, options?.reset === true)
  }

  upgradeServer(
    tls: TlsAcceptor,
    pending: Octets,
    how: 'implicit' | 'starttls',
    timeoutMs: number,
  ): Promise<UpgradeResult> {
    if (!(tls instanceof ServerAcceptor)) throw new TypeError('not an acceptor made by createTlsAcceptor')
    if (how === 'starttls' && pending.length + this.buffered > 0) return this.#injected()
    return this.#upgrade(pending, timeoutMs, (raw, settled) => tls.accept(raw, settled))
  }

  upgradeClient(options: BackendTls, timeoutMs: number): Promise<UpgradeResult> {
    // Octets before anything was said are a server that speaks no TLS here; after a dialogue they are an injection.
    if (this.buffered > 0 && this.bytesWritten > 0) return this.#injected()
    return this.#upgrade(undefined, timeoutMs, (raw, settled) => connectTls(raw, options, settled))
  }

  setIdle(ms: number): void {
    this.#idle?.cancel()
    this.#idle = ms > 0 && !this.#over ? this.#wheel.addIdle(ms, () => this.#finish({ kind: 'idle' })) : undefined
  }

  setDeadline(ms: number): void {
    this.#deadline?.cancel()
    this.#deadline = ms > 0 && !this.#over ? this.#wheel.add(ms, () => this.#finish({ kind: 'deadline' })) : undefined
  }

  setPeer(peer: Endpoint, local?: Endpoint): void {
    this.facts = { peer, local: local ?? this.facts.local, socketPeer: this.facts.socketPeer }
  }

  /** What was read so far is no part of what the peer has to say. */
  beginHere(): void {
    this.#foreign = this.#input.taken
  }

  release(): Released {
    if (this.#input.taken > this.#foreign || this.#over || this.#upgrading !== undefined) {
      throw new Error('a leg can be released only before anything was read from it')
    }
    this.#closed = true
    this.#socketClosed = true
    this.#clearTimers()
    const socket = this.#transport.toSocket([this.#input.takeAll()])
    forgetEnd(socket)
    socket.once('close', () => this.#tellGone())
    this.#released = socket
    return { socket }
  }

  /** Closes the socket even if it was released. */
  drop(): void {
    this.destroy()
    this.#released?.destroy()
  }

  // What follows is called by the transport and by LegInput.

  /** `bytes` may lie in memory that is valid only during the call. */
  received(bytes: Buffer): void {
    this.#idle?.touch()
    this.#input.deliver(bytes)
  }

  drained(): void {
    if (!this.#stalled) return
    this.#stalled = false
    if (!this.#closed) this.#input.drained()
  }

  peerEnded(): void {
    this.#input.eof()
  }

  /** A socket error, or a reader that threw. */
  failed(cause: Error): void {
    this.#finish({ kind: 'error', code: legErrorCode(cause), cause })
  }

  closed(): void {
    if (this.#socketClosed) return
    this.#socketClosed = true
    this.#raw = undefined
    this.#tellGone()
    this.#upgrading?.('closed')
    const why: LegEnd = this.#why ?? { kind: 'finished' }
    this.#closed = true
    // After an orderly end octets may still wait for the reader; the timers see to it that they do not wait for ever.
    if (why.kind !== 'finished' || this.#input.buffered === 0) this.#clearTimers()
    this.#input.finish(why)
  }

  halt(): void {
    this.#transport.pause()
  }

  flow(): void {
    if (this.#upgrading === undefined) this.#transport.resume()
  }

  get #over(): boolean {
    return this.#socketClosed && this.#input.buffered === 0
  }

  #mayWrite(): boolean {
    if (this.#ended || this.#closed || this.#upgrading !== undefined) return false
    this.#idle?.touch()
    return true
  }

  #mayGoOn(): boolean {
    if (this.#transport.queued >= this.#transport.mark) this.#stalled = true
    return !this.#stalled
  }

  #finish(why: LegEnd, reset = false): void {
    this.#clearTimers()
    if (this.#socketClosed) {
      this.#input.finish(why)
      return
    }
    this.#why ??= why
    this.#closed = true
    const raw = this.#raw
    if (raw === undefined) this.#transport.destroy(reset)
    else destroySocket(raw, raw, reset)
  }

  #injected(): Promise<UpgradeResult> {
    this.destroy()
    return Promise.resolve({ kind: 'failed', reason: 'plaintext-behind-starttls' })
  }

  #upgrade(
    pending: Octets | undefined,
    timeoutMs: number,
    start: (raw: Socket, settled: (handshake: Handshake) => void) => void,
  ): Promise<UpgradeResult> {
    if (this.#closed || this.#ended || this.tls !== undefined || this.#upgrading !== undefined) {
      this.destroy()
      return Promise.resolve({ kind: 'failed', reason: 'closed' })
    }
    return new Promise((resolve) => {
      const limit = this.#wheel.add(timeoutMs, () => this.#upgrading?.('timeout'))
      this.#upgrading = (handshake) => {
        this.#upgrading = undefined
        limit.cancel()
        resolve(this.#upgraded(handshake))
      }
      const raw = this.#prepareUpgrade(pending)
      start(raw, (handshake) => this.#upgrading?.(handshake))
    })
  }

  /** The socket for the handshake: nobody reads it any more, and what belongs to the handshake lies in front. */
  #prepareUpgrade(pending: Octets | undefined): Socket {
    const front = [this.#input.takeAll()]
    if (pending !== undefined && pending.length > 0) front.push(Buffer.from(pending))
    const raw = this.#transport.toSocket(front)
    forgetEnd(raw)
    watchEnd(raw, this)
    this.#raw = raw
    this.#input.restart()
    this.#stalled = false
    return raw
  }

  #upgraded(handshake: Handshake | UpgradeFailure): UpgradeResult {
    if (typeof handshake !== 'string' && handshake.kind === 'secure' && !this.#closed) {
      this.tls = handshake.facts
      this.#adopt(handshake.socket)
      return { kind: 'secure', tls: handshake.facts }
    }
    // Of a leg that was closed meanwhile whatever node:tls says is of no interest.
    const reason = this.#closed ? 'closed' : typeof handshake === 'string' ? handshake : reasonOf(handshake)
    const cause = typeof handshake !== 'string' && handshake.kind === 'failed' ? handshake.cause : undefined
    const code = reason === 'verify' ? 'tls-verify' : 'tls-handshake'
    this.#finish({ kind: 'error', code, cause: cause ?? new Error(`TLS handshake: ${reason}`) })
    return { kind: 'failed', reason, ...(cause === undefined ? {} : { cause }) }
  }

  #adopt(socket: TLSSocket): void {
    const raw = this.#raw
    if (raw === undefined) return
    this.#raw = undefined
    forgetEnd(raw)
    this.#transport = overSocket(socket, raw)(this)
  }

  #tellGone(): void {
    const gone = this.#gone
    this.#gone = undefined
    gone?.()
  }

  #clearTimers(): void {
    this.#idle?.cancel()
    this.#deadline?.cancel()
    this.#idle = undefined
    this.#deadline = undefined
  }
}

function reasonOf(handshake: Handshake): UpgradeFailure {
  return handshake.kind === 'failed' ? upgradeFailure(handshake.cause) : 'closed'
}
