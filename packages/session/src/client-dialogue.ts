// SPDX-License-Identifier: MIT
import type { Timer } from '@portico/base'
import { type Conversation, converse, type LegEnd, type LegReader, type UpgradeResult } from '@portico/net'
import type { Ended, Session } from './session.js'

/** What came from the client when a line was awaited; `text` holds one octet per character. `gone`: see {@link ClientDialogue.ended}. */
export type ClientLine =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'too-long' }
  | { readonly kind: 'gone' }

const NOTHING = new Uint8Array(0)
const [LF, CR, SPACE, TILDE] = [10, 13, 32, 126] as const

/**
 * The client's side of a line protocol before sign-in. It keeps the pre-auth time, so that a client can be told why it is let
 * go; it ends a pending read when the node drains, and aborts the session's signal when the client is gone.
 */
export class ClientDialogue {
  readonly #session: Session
  readonly #conversation: Conversation
  readonly #preAuth: Timer
  #reading = false
  #signedIn = false
  #legEnd: LegEnd | undefined
  #closed: (() => void) | undefined
  #whenDrained: (() => void) | undefined

  constructor(session: Session) {
    const { leg, services, signal } = session
    const { limits } = services
    this.#session = session
    this.#conversation = converse(leg)
    leg.setReader(this.#watched())
    // The leg's own deadline would leave no time for a last word: it stays behind ours as a backstop.
    leg.setDeadline(limits.preAuth + limits.linger)
    this.#preAuth = services.wheel.add(limits.preAuth, () => signal.abort('deadline'))
    session.onDrain = () => {
      if (this.#reading) signal.abort('draining')
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
    return { kind: 'line', text: read.bytes.toString('latin1') }
  }

  /**
   * The first line of a session. Whatever begins no line of text (a TLS ClientHello, another binary protocol) is `foreign` from its
   * first octet, since a line end may never follow it.
   */
  async readFirstLine(limit: number): Promise<ClientLine | { readonly kind: 'foreign' }> {
    const first = (await this.readExactly(1))?.[0]
    if (first === undefined) return { kind: 'gone' }
    if (first === LF) return { kind: 'line', text: '' }
    if (first !== CR && (first < SPACE || first > TILDE)) return { kind: 'foreign' }
    const rest = await this.readLine(limit - 1)
    if (rest.kind !== 'line' || (first === CR && rest.text === '')) return rest
    return { kind: 'line', text: `${String.fromCharCode(first)}${rest.text}` }
  }

  /** Exactly so many octets, or `undefined` when the client is gone. Bound `count` first. */
  async readExactly(count: number): Promise<Buffer | undefined> {
    const read = await this.#read(() => this.#conversation.readExactly(count, this.#session.signal))
    return read?.kind === 'bytes' ? read.bytes : undefined
  }

  /** Drops so many octets in constant memory; false when the client is gone. */
  async skip(count: number): Promise<boolean> {
    const end = await this.#read(() => this.#conversation.skip(count, this.#session.signal))
    return end?.kind === 'done'
  }

  /** Writes text of one octet per character. */
  write(latin1: string): void {
    this.#session.leg.writeText(latin1)
  }

  /**
   * Becomes TLS. Octets sent behind the command in the clear are never parsed: the leg is then already destroyed (RFC 3207
   * section 4.2 tells why).
   */
  async upgrade(): Promise<UpgradeResult> {
    const { leg, listener, services, record } = this.#session
    if (listener.tlsAcceptor === undefined) return { kind: 'failed', reason: 'closed' }
    record.begin()
    const result = await leg.upgradeServer(listener.tlsAcceptor, NOTHING, 'starttls', services.limits.handshake)
    record.finish('tls')
    return result
  }

  /** The pre-auth time and the draining rules of the dialogue no longer hold. The leg is ready for the relay. */
  signedIn(): void {
    this.#signedIn = true
    this.#preAuth.cancel()
    this.#session.onDrain = undefined
    this.#session.leg.setDeadline(0)
  }

  /** Whether the mailbox server speaks to the client by now, and we no longer. */
  get isSignedIn(): boolean {
    return this.#signedIn
  }

  /** Why there is nothing more to read. */
  get ended(): Ended {
    const { reason } = this.#session.signal
    if (reason === 'deadline' || reason === 'draining') return reason
    const kind = this.#legEnd?.kind
    return kind === 'idle' || kind === 'deadline' ? kind : 'client-closed'
  }

  /** Flushes what was written and closes; whatever the client still sends is dropped. Resolves when the leg is over. */
  async close(): Promise<void> {
    const { leg, services } = this.#session
    this.#preAuth.cancel()
    this.#session.onDrain = undefined
    if (leg.state === 'closed') return
    await new Promise<void>((resolve) => {
      this.#closed = resolve
      leg.close(services.limits.linger)
    })
  }

  async #read<T>(start: () => Promise<T>): Promise<T | undefined> {
    const { draining, signal } = this.#session
    if (draining) signal.abort('draining')
    if (signal.aborted) return undefined
    this.#reading = true
    try {
      if (this.#session.leg.needsDrain) await this.#drained()
      return await start()
    } finally {
      this.#reading = false
    }
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
      onBytes: (view) => conversation.onBytes(view),
      onDrain: () => this.#whenDrained?.(),
      onPeerEnd: () => conversation.onPeerEnd(),
      onEnd: (why) => {
        this.#legEnd = why
        this.#preAuth.cancel()
        conversation.onEnd(why)
        this.#session.signal.abort('closed')
        this.#closed?.()
      },
    }
  }
}
