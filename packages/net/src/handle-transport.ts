// SPDX-License-Identifier: MIT
import type { Socket } from 'node:net'
import { getSystemErrorName } from 'node:util'
import { joined, keepJoined, steady } from './joined.js'
import type { Octets } from './leg.js'
import { held, hold, ReadMemory } from './read-memory.js'
import { destroySocket } from './socket-transport.js'
import {
  EOF,
  giveBack,
  isTcp,
  type StreamBinding,
  type StreamHandle,
  type StreamRequest,
  systemError,
} from './stream-handle.js'
import type { Transport, TransportOwner } from './transport.js'

const TRANSPORT = Symbol('transport')
interface OwnedHandle extends StreamHandle {
  [TRANSPORT]?: HandleTransport
}
interface OwnedRequest extends StreamRequest {
  transport?: HandleTransport | undefined
  /** Kept alive until it is written. */
  bytes?: Octets | undefined
}

// Shared by all handles, so that one costs no closure per event.
function onRead(this: OwnedHandle): Uint8Array | undefined {
  return this[TRANSPORT]?.haveRead()
}
function onWritten(this: OwnedRequest, status: number): void {
  this.transport?.haveWritten(status)
}
function onShutdown(this: OwnedRequest): void {
  this.transport?.haveEnded()
}

const MARK = 131_072
/**
 * TLS never says at once that a write is done: meanwhile the other side is better not read, whose memory would have to be held
 * and made anew.
 */
const TLS_MARK = 16_384
/** Octets of one read of TLS at most: a record. */
const TLS_RECORD = 16_384

/** A request that was done at once serves the next write, of whomever. */
let spare: OwnedRequest | undefined

export interface HandleOptions {
  readonly binding: StreamBinding
  readonly owner: TransportOwner
  /** The Node socket that the handle belongs to and is closed with: that of TLS, or one that connected. Nobody reads from it. */
  readonly socket?: Socket
  /** The socket below `socket` where that is TLS. */
  readonly raw?: Socket
}

/** A connection by its handle, without the streams of node:net above it. */
export class HandleTransport implements Transport {
  readonly mark: number
  readonly #handle: OwnedHandle
  readonly #binding: StreamBinding
  readonly #owner: TransportOwner
  readonly #socket: Socket | undefined
  /** Given for TLS, which has written octets encrypted before a write returns, so that their memory is free. */
  readonly #raw: Socket | undefined
  readonly #memory: ReadMemory
  /** Where the handle reads to: it does not keep it alive itself. */
  #reads: Buffer
  /** The write that goes on; the handle takes one at a time. */
  #writing: OwnedRequest | undefined
  #flying = 0
  #waiting: (Octets | string)[] = []
  #waitingLength = 0
  #corked = 0
  #ending: 'no' | 'wanted' | 'begun' | 'done' = 'no'
  #eof = false
  #failed = false
  /** A write is being begun. TLS tells within the call that one failed: how it went. */
  #sending = false
  #early = 0
  #over = false

  constructor(handle: StreamHandle, { binding, owner, socket, raw }: HandleOptions) {
    this.#handle = handle
    this.#binding = binding
    this.#owner = owner
    this.#socket = socket
    this.#raw = raw
    this.mark = raw === undefined ? MARK : TLS_MARK
    this.#memory = new ReadMemory(raw === undefined ? undefined : TLS_RECORD)
    this.#reads = this.#memory.next
    this.#handle[TRANSPORT] = this
    handle.onread = onRead
    handle.useUserBuffer(this.#reads)
    this.#start()
  }

  get queued(): number {
    // Whoever writes until told to stop would go on for ever: the owner hears of the failure only after its call.
    return this.#failed ? this.mark : this.#flying + this.#waitingLength
  }

  get unread(): number {
    return 0
  }

  write(bytes: Octets): void {
    if (bytes.length === 0 || this.#over || this.#failed) return
    if (this.#corked === 0 && this.#writing === undefined) {
      this.#send(this.#raw === undefined ? steady(bytes) : bytes)
      return
    }
    // What is only corked goes out within the call that shows it.
    this.#waiting.push(this.#writing === undefined ? bytes : hold(bytes))
    this.#waitingLength += bytes.length
  }

  writeText(latin1: string): void {
    if (latin1 === '' || this.#over || this.#failed) return
    if (this.#corked === 0 && this.#writing === undefined) {
      this.#send(latin1)
      return
    }
    this.#waiting.push(latin1)
    this.#waitingLength += latin1.length
  }

  cork(): void {
    this.#corked += 1
  }

  uncork(): void {
    this.#corked -= 1
    if (this.#corked > 0 || this.#writing !== undefined) return
    const stopped = this.#waitingLength >= this.mark
    this.#sendWaiting()
    // Where it is done at once no write is left whose end would tell the owner to go on.
    if (stopped && this.#writing === undefined) process.nextTick(() => this.queued === 0 && this.#owner.drained())
  }

  pause(): void {
    if (!this.#over) this.#handle.readStop()
  }

  resume(): void {
    if (!this.#over && !this.#eof) this.#start()
  }

  end(): void {
    if (this.#ending === 'no') this.#ending = 'wanted'
    this.#endWhenFlushed()
  }

  destroy(reset: boolean): void {
    if (this.#over) return
    this.#over = true
    this.#waiting = []
    this.#waitingLength = 0
    if (this.#socket !== undefined) destroySocket(this.#socket, this.#raw ?? this.#socket, reset)
    else this.#close(reset)
  }

  toSocket(front: readonly Buffer[]): Socket {
    this.#corked = 0
    // Below TLS a handle takes a write while another goes on; above it nobody has written yet who gives a leg away.
    this.#sendWaiting()
    this.#over = true
    this.#handle.readStop()
    delete this.#handle[TRANSPORT]
    return giveBack(this.#handle, { front, memory: this.#reads, binding: this.#binding, socket: this.#socket })
  }

  // What follows is called by the handle.

  haveRead(): Uint8Array | undefined {
    const length = this.#binding.state[this.#binding.readResult] ?? 0
    if (length === 0 || this.#over) return undefined
    if (length > 0) {
      this.#memory.show(length, this.#owner)
      const { next } = this.#memory
      if (next === this.#reads) return undefined
      this.#reads = next
      return next
    }
    if (length !== EOF) {
      this.#owner.failed(systemError('read', length))
      return undefined
    }
    this.#eof = true
    this.#owner.peerEnded()
    this.#closeWhenFinished()
    return undefined
  }

  haveWritten(status: number): void {
    if (this.#sending) {
      this.#early = status
      return
    }
    this.#writing = undefined
    this.#flying = 0
    if (this.#over) return
    if (status < 0) {
      this.#owner.failed(systemError('write', status))
      return
    }
    if (this.#corked === 0) this.#sendWaiting()
    if (this.queued === 0) this.#owner.drained()
    this.#endWhenFlushed()
  }

  haveEnded(): void {
    this.#ending = 'done'
    this.#closeWhenFinished()
  }

  #start(): void {
    const status = this.#handle.readStart()
    if (status < 0 && getSystemErrorName(status) !== 'EALREADY') this.#failLater('read', status)
  }

  #send(data: Octets | string): void {
    const request = spare ?? this.#newRequest()
    spare = undefined
    const handle = this.#handle
    const { state, writeGoesOn, bytesWritten } = this.#binding
    request.transport = this
    this.#early = 0
    this.#sending = true
    const begun = typeof data === 'string' ? handle.writeLatin1String(request, data) : handle.writeBuffer(request, data)
    this.#sending = false
    const status = begun || this.#early
    if (status !== 0) {
      this.#failed = true
      this.#failLater('write', status)
    } else if (state[writeGoesOn] === 0) {
      request.transport = undefined
      spare = request
    } else {
      this.#writing = request
      this.#flying = state[bytesWritten] ?? 0
      if (typeof data === 'string') return
      request.bytes = data
      if (this.#raw !== undefined) return
      held(data)
      keepJoined(data)
    }
  }

  #newRequest(): OwnedRequest {
    const request: OwnedRequest = new this.#binding.WriteRequest()
    request.oncomplete = onWritten
    return request
  }

  #sendWaiting(): void {
    if (this.#waitingLength === 0 || this.#over) return
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingLength = 0
    const whole = joined(waiting)
    this.#send(typeof whole === 'string' || this.#raw !== undefined ? whole : steady(whole))
    this.#endWhenFlushed()
  }

  #endWhenFlushed(): void {
    if (this.#ending !== 'wanted' || this.queued > 0 || this.#over) return
    this.#ending = 'begun'
    const request: OwnedRequest = new this.#binding.ShutdownRequest()
    request.oncomplete = onShutdown
    request.transport = this
    // Anything but 0: it is done, or there is nothing to be ended any more.
    if (this.#handle.shutdown(request) !== 0) queueMicrotask(() => this.haveEnded())
  }

  /** Both directions have ended in order. */
  #closeWhenFinished(): void {
    if (this.#eof && this.#ending === 'done') this.destroy(false)
  }

  /** Nothing is told from within a call of the owner's. */
  #failLater(call: string, status: number): void {
    process.nextTick(() => {
      if (!this.#over) this.#owner.failed(systemError(call, status))
    })
  }

  #close(reset: boolean): void {
    const closed = () => this.#owner.closed()
    const handle = this.#handle
    if (reset && isTcp(handle) && handle.reset(closed) === 0) return
    handle.close(closed)
  }
}
