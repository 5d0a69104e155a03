// SPDX-License-Identifier: MIT
import type { Cancellation, Timer } from '@portico/base'
import {
  type Conversation,
  converse,
  type IdleTimer,
  type LegEnd,
  type LegReader,
  type PumpSink,
  type UpgradeResult,
} from '@portico/net'
import { Pause } from './pause.js'
import type { Ended, Session } from './session.js'

/**
 * What came from the client when a line was awaited; `text` holds one octet per character, `bareLf` says that the CR was missing.
 * `gone`: see {@link ClientDialogue.ended}.
 */
export type ClientLine =
  | { readonly kind: 'line'; readonly text: string; readonly bareLf: boolean }
  | { readonly kind: 'too-long' }
  | { readonly kind: 'gone' }

/** How a pumped part ended. */
export type ClientPump = 'done' | 'sink-closed' | 'gone'

/** Octets of replies that are held back for grouping at most (RFC 2920 section 3.2). */
const GROUPED = 4_096

const NOTHING = new Uint8Array(0)
const [LF, CR, SPACE, TILDE] = [10, 13, 32, 126] as const

/**
 * The client's side of a line protocol, until the relay takes over. It keeps the pre-auth time and the idle time, so that a client
 * can be told why it is let go; it ends a pending read when the node drains, and aborts the session's signal when the client is
 * gone. Whatever ends it, the last words are the caller's: see {@link ClientDialogue.ended}.
 */
export class ClientDialogue {
  readonly #session: Session
  readonly #conversation: Conversation
  readonly #preAuth: Timer
  readonly #busy: () => boolean
  #idle: IdleTimer | undefined
  #lifetime: Timer | undefined
  #expired = false
  readonly #pause: Pause
  #reading = false
  #pumping: PumpSink | undefined
  /** Replies that go out when the client has to be awaited. */
  #held = ''
  /** The pre-auth time ended while something else than the client was awaited. */
  #overdue = false
  #idled = false
  #signedIn = false
  #legEnd: LegEnd | undefined
  #closed: (() => void) | undefined
  #whenDrained: (() => void) | undefined

  /** `busy`: something is under way for the client that neither the pre-auth time nor a node that leaves may break off. */
  constructor(session: Session, busy: () => boolean = () => false) {
    const { leg, services, signal } = session
    const { limits } = services
    this.#session = session
    this.#busy = busy
    this.#pause = new Pause(session)
    this.#conversation = converse(leg)
    leg.setReader(this.#watched())
    // The leg's own deadline would leave no time for a last word: it stays behind ours as a backstop.
    leg.setDeadline(limits.preAuth + limits.linger)
    this.#preAuth = services.wheel.add(limits.preAuth, () => this.#preAuthOver())
    session.onDrain = () => {
      this.#pause.end()
      if (this.#reading && !busy()) signal.abort('draining')
    }
  }

  /** Octets of a further command are already here. */
  get hasInput(): boolean {
    return this.#conversation.hasInput
  }

  /** The next line without its terminator, CRLF or a bare LF. */
  async readLine(limit: number): Promise<ClientLine> {
    const read = await this.#read(() => this.#conversation.readLine(limit, this.#session.signal))
    if (read?.kind === 'too-long') return { kind: 'too-long' }
    if (read?.kind !== 'line') return { kind: 'gone' }
    return { kind: 'line', text: read.bytes.toString('latin1'), bareLf: read.bareLf }
  }

  /**
   * The first line of a session. Whatever begins no line of text (a TLS ClientHello, another binary protocol) is `foreign` from its
   * first octet, since a line end may never follow it.
   */
  async readFirstLine(limit: number): Promise<ClientLine | { readonly kind: 'foreign' }> {
    const first = (await this.readExactly(1))?.[0]
    if (first === undefined) return { kind: 'gone' }
    if (first === LF) return { kind: 'line', text: '', bareLf: true }
    if (first !== CR && (first < SPACE || first > TILDE)) return { kind: 'foreign' }
    const rest = await this.readLine(limit - 1)
    if (rest.kind !== 'line') return rest
    if (first === CR && rest.text === '') return { ...rest, bareLf: false }
    return { ...rest, text: `${String.fromCharCode(first)}${rest.text}` }
  }

  /** Exactly so many octets, or `undefined` when the client is gone. Bound `count` first. */
  async readExactly(count: number): Promise<Buffer | undefined> {
    const read = await this.#read(() => this.#conversation.readExactly(count, this.#session.signal))
    return read?.kind === 'bytes' ? read.bytes : undefined
  }

  /** Drops so many octets in constant memory; false when the client is gone. */
  async swallow(count: number): Promise<boolean> {
    const end = await this.#read(() => this.#conversation.swallow(count, this.#session.signal))
    return end?.kind === 'done'
  }

  /** Waits until the client has sent something, and takes none of it. `cancelled`: the signal came first. */
  async awaitInput(signal: Cancellation): Promise<'input' | 'cancelled' | 'gone'> {
    this.#reading = true
    const read = await this.#conversation.awaitInput(signal)
    this.#reading = false
    return read.kind === 'input' || read.kind === 'cancelled' ? read.kind : 'gone'
  }

  /** Streams octets into a sink until it has enough; while it is blocked it is not the client who keeps silent. */
  async pump(sink: PumpSink): Promise<ClientPump> {
    const end = await this.#read(() => {
      this.#pumping = sink
      return this.#conversation.pump(sink, this.#session.signal)
    })
    this.#pumping = undefined
    return end?.kind === 'done' || end?.kind === 'sink-closed' ? end.kind : 'gone'
  }

  /** Writes text of one octet per character, behind what was held back. */
  write(latin1: string): void {
    this.#held += latin1
    this.flush()
  }

  /** The same, but together with what follows as long as more of the client's commands are here (RFC 2920 section 3.2). */
  hold(latin1: string): void {
    this.#held += latin1
    if (this.#held.length > GROUPED) this.flush()
  }

  /** Sends what was held back. */
  flush(): void {
    if (this.#held === '') return
    this.#session.leg.writeText(this.#held)
    this.#held = ''
  }

  /**
   * Becomes TLS. Octets sent behind the command in the clear are never parsed: the leg is then already destroyed (RFC 3207
   * section 4.2 tells why).
   */
  async upgrade(): Promise<UpgradeResult> {
    const { leg, listener, services, record } = this.#session
    if (listener.tlsAcceptor === undefined) return { kind: 'failed', reason: 'closed' }
    this.flush()
    record.begin()
    const result = await leg.upgradeServer(listener.tlsAcceptor, NOTHING, 'starttls', services.limits.handshake)
    record.finish('tls')
    return result
  }

  /** From now on a client that says nothing for so long when it is its turn is let go. Before the first call none is. */
  setIdle(ms: number): void {
    this.#idle?.cancel()
    this.#idle = this.#session.services.wheel.addIdle(ms, () => {
      if (!this.#reading || this.#pumping?.blocked === true) return this.setIdle(ms)
      this.#idled = true
      this.#session.signal.abort('deadline')
    })
  }

  /** From now on a client that has been here for so long is let go as soon as nothing is under way for it; `undefined`: no more. */
  setLifetime(ms: number | undefined): void {
    this.#lifetime?.cancel()
    this.#expired = false
    if (ms === undefined) return
    this.#lifetime = this.#session.services.wheel.add(ms, () => {
      this.#expired = true
      if (this.#reading && !this.#busy()) this.#session.signal.abort('deadline')
    })
  }

  /** Neither reads nor says anything for so long. It ends at once when the client is gone or overdue, and when the node leaves. */
  pause(ms: number): Promise<void> {
    return this.#pause.hold(ms)
  }

  /** The client has shown a right to be here: its time is no longer that of strangers. The dialogue goes on. */
  admitted(): void {
    this.#overdue = false
    this.#preAuth.cancel()
    this.#session.leg.setDeadline(0)
  }

  /** The pre-auth time and the draining rules of the dialogue no longer hold. The leg is ready for the relay. */
  signedIn(): void {
    this.admitted()
    this.flush()
    this.#signedIn = true
    this.#idle?.cancel()
    this.#session.onDrain = undefined
  }

  /** Whether the mailbox server speaks to the client by now, and we no longer. */
  get isSignedIn(): boolean {
    return this.#signedIn
  }

  /** Why there is nothing more to read. */
  get ended(): Ended {
    if (this.#idled) return 'idle'
    const { reason } = this.#session.signal
    if (reason === 'deadline' || reason === 'draining') return reason
    const kind = this.#legEnd?.kind
    return kind === 'idle' || kind === 'deadline' ? kind : 'client-closed'
  }

  /** Flushes what was written and closes; whatever the client still sends is dropped. Resolves when the leg is over. */
  async close(): Promise<void> {
    const { leg, services } = this.#session
    this.#preAuth.cancel()
    this.#idle?.cancel()
    this.#lifetime?.cancel()
    this.#session.onDrain = undefined
    this.flush()
    if (leg.state === 'closed') return
    await new Promise<void>((resolve) => {
      this.#closed = resolve
      leg.close(services.limits.linger)
    })
  }

  async #read<T>(start: () => Promise<T>): Promise<T | undefined> {
    const { draining, signal, leg } = this.#session
    if (this.#overdue) signal.abort('deadline')
    else if ((draining || this.#expired) && !this.#busy()) signal.abort(draining ? 'draining' : 'deadline')
    if (signal.aborted) return undefined
    if (!this.#conversation.hasInput) this.flush()
    this.#idle?.touch()
    this.#reading = true
    try {
      if (leg.needsDrain) await this.#drained()
      return await start()
    } finally {
      this.#reading = false
    }
  }

  /** A client that is awaited is let go now. What is being done for it is finished first. */
  #preAuthOver(): void {
    const { signal, leg } = this.#session
    this.#overdue = !this.#reading && this.#busy()
    if (this.#overdue) leg.setDeadline(0)
    else signal.abort('deadline')
  }

  /** Who sends commands and does not read the replies is not heard further, or the replies would pile up here. */
  #drained(): Promise<void> {
    const { signal } = this.#session
    return new Promise((resolve) => {
      this.#whenDrained = () => {
        this.#whenDrained = undefined
        signal.onAbort = undefined
        resolve()
      }
      signal.onAbort = this.#whenDrained
    })
  }

  /** The conversation's reader, with an eye on the end of the leg also while nothing is awaited. */
  #watched(): LegReader {
    const conversation = this.#conversation
    return {
      onBytes: (view) => {
        if (this.#pumping !== undefined) this.#idle?.touch()
        return conversation.onBytes(view)
      },
      onDrain: () => this.#whenDrained?.(),
      onPeerEnd: () => conversation.onPeerEnd(),
      onEnd: (why) => {
        this.#legEnd = why
        this.#preAuth.cancel()
        this.#idle?.cancel()
        this.#lifetime?.cancel()
        conversation.onEnd(why)
        this.#session.signal.abort('closed')
        this.#closed?.()
      },
    }
  }
}
