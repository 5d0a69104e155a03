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
import { held, writable } from './read-memory.js'
import type { IdleTimer, TimerWheel } from './timer-wheel.js'
import { type Handshake, ServerAcceptor } from './tls-acceptor.js'
import { connectTls } from './tls-client.js'

/**
 * Octets that may wait in the socket before a writer is told to stop. Far above a TLS socket's own mark, which every read of the
 * other side would pass, so that each would stop and restart it; with one read more it bounds what a slow peer can make us hold.
 */
const WRITE_MARK = 131_072

const LEG = Symbol('leg')
interface OwnedSocket extends Socket {
  [LEG]?: SocketLeg
}

// Shared by all legs, so that a leg costs no closure per event.
function onData(this: OwnedSocket, bytes: Buffer): void {
  this[LEG]?.received(bytes)
}
function onDrain(this: OwnedSocket): void {
  this[LEG]?.drained()
}
function onEof(this: OwnedSocket): void {
  this[LEG]?.peerEnded()
}
function onError(this: OwnedSocket, error: Error): void {
  this[LEG]?.failed(error)
}
function onClose(this: OwnedSocket): void {
  this[LEG]?.socketClosed()
}
function ignore(): void {}

let lastId = 0

/** A leg over node:net and node:tls. The reader stays behind permanent listeners; TLS replaces the socket below it. */
export class SocketLeg implements Leg, InputSource {
  readonly id: number
  facts: LegFacts
  tls: TlsFacts | undefined
  bytesWritten = 0
  readonly #wheel: TimerWheel
  readonly #input: LegInput
  #socket: OwnedSocket
  /** The TCP or Unix socket below TLS. */
  readonly #raw: OwnedSocket
  #ended = false
  #closed = false
  #socketClosed = false
  #why: LegEnd | undefined
  #idle: IdleTimer | undefined
  #deadline: Timer | undefined
  /** A writer was told to stop, and `drain` has not come yet. */
  #stalled = false
  #upgrading: ((handshake: Handshake | UpgradeFailure) => void) | undefined

  constructor(socket: Socket, facts: LegFacts, wheel: TimerWheel) {
    lastId += 1
    this.id = lastId
    this.facts = facts
    this.#wheel = wheel
    this.#input = new LegInput(this)
    this.#raw = socket
    this.#socket = socket
    this.#attach(socket)
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
    return this.#input.buffered + this.#socket.readableLength
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
    return this.#socket.writableLength
  }

  write(bytes: Octets): boolean {
    if (!this.#mayWrite()) return false
    this.bytesWritten += bytes.length
    const mine = writable(bytes)
    this.#socket.write(mine)
    if (this.#socket.writableLength > 0) held(mine)
    return this.#mayGoOn()
  }

  writeView(view: Octets): boolean {
    return this.write(view)
  }

  writeText(latin1: string): boolean {
    if (!this.#mayWrite()) return false
    this.bytesWritten += latin1.length
    this.#socket.write(latin1, 'latin1')
    return this.#mayGoOn()
  }

  batch(fill: () => void): void {
    const socket = this.#socket
    socket.cork()
    try {
      fill()
    } finally {
      socket.uncork()
    }
  }

  end(): void {
    if (this.#ended || this.#closed || this.#upgrading !== undefined) return
    this.#ended = true
    this.#socket.end()
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

  release(): Released {
    if (this.#input.taken > 0 || this.#over || this.#upgrading !== undefined) {
      throw new Error('a leg can be released only before anything was read from it')
    }
    const socket = this.#socket
    this.#closed = true
    this.#socketClosed = true
    this.#clearTimers()
    this.#detach(socket)
    socket.removeListener('error', onError)
    socket.removeListener('close', onClose)
    socket.pause()
    const left = this.#input.takeAll()
    if (left.length > 0) socket.unshift(left)
    return { socket }
  }

  // What follows is called by the socket's listeners and by LegInput.

  /** `bytes` may lie in memory that is valid only during the call. */
  received(bytes: Buffer): void {
    this.#idle?.touch()
    this.#input.deliver(bytes)
  }

  drained(): void {
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

  socketClosed(): void {
    if (this.#socketClosed) return
    this.#socketClosed = true
    this.#upgrading?.('closed')
    const why: LegEnd = this.#why ?? { kind: 'finished' }
    this.#closed = true
    // After an orderly end octets may still wait for the reader; the timers see to it that they do not wait for ever.
    if (why.kind !== 'finished' || this.#input.buffered === 0) this.#clearTimers()
    this.#input.finish(why)
  }

  halt(): void {
    this.#socket.pause()
  }

  flow(): void {
    if (this.#upgrading === undefined) this.#socket.resume()
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
    if (this.#socket.writableLength >= WRITE_MARK) this.#stalled = true
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
    if (reset && !this.#raw.destroyed && this.facts.socketPeer.family !== 'unix') {
      // The first would wait for what is queued to be flushed, and end with a FIN; the second makes it reset at once.
      this.#raw.resetAndDestroy()
      this.#raw.destroy()
    }
    this.#socket.destroy()
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
      this.#prepareUpgrade(pending)
      start(this.#raw, (handshake) => this.#upgrading?.(handshake))
    })
  }

  /** Nobody reads the socket any more, and what belongs to the handshake lies in front. */
  #prepareUpgrade(pending: Octets | undefined): void {
    const raw = this.#raw
    while (raw.writableCorked > 0) raw.uncork()
    this.#detach(raw)
    raw.pause()
    const left = this.#input.takeAll()
    if (pending !== undefined && pending.length > 0) raw.unshift(Buffer.from(pending))
    if (left.length > 0) raw.unshift(left)
    this.#input.restart()
    this.#stalled = false
  }

  #upgraded(handshake: Handshake | UpgradeFailure): UpgradeResult {
    if (typeof handshake !== 'string' && handshake.kind === 'secure' && !this.#closed) {
      this.tls = handshake.facts
      this.#adopt(handshake.socket)
      return { kind: 'secure', tls: handshake.facts }
    }
    const reason = typeof handshake === 'string' ? handshake : reasonOf(handshake)
    const cause = typeof handshake !== 'string' && handshake.kind === 'failed' ? handshake.cause : undefined
    const code = reason === 'verify' ? 'tls-verify' : 'tls-handshake'
    this.#finish({ kind: 'error', code, cause: cause ?? new Error(`TLS handshake: ${reason}`) })
    return { kind: 'failed', reason, ...(cause === undefined ? {} : { cause }) }
  }

  #adopt(socket: TLSSocket): void {
    const raw = this.#raw
    raw.removeListener('error', onError)
    raw.removeListener('close', onClose)
    raw.on('error', ignore)
    this.#socket = socket
    this.#attach(socket)
  }

  #attach(socket: OwnedSocket): void {
    socket[LEG] = this
    socket.on('error', onError)
    socket.on('close', onClose)
    socket.on('drain', onDrain)
    socket.on('end', onEof)
    socket.on('data', onData)
  }

  #detach(socket: OwnedSocket): void {
    socket.removeListener('data', onData)
    socket.removeListener('end', onEof)
    socket.removeListener('drain', onDrain)
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
