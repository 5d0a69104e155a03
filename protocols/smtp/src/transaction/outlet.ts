// SPDX-License-Identifier: MIT
import type { LegReader, Octets } from '@portico/net'
import { DotStuffer } from '../message/dot-stuffing.js'
import type { LineForm } from '../message/header-fields.js'
import type { Branch } from './envelope.js'

/** What an outlet tells whoever feeds it. */
export interface OutletOwner {
  /** The backend takes octets again. */
  outletDrained(): void
  /** The backend is gone; what it had of the message is given up. */
  outletLost(): void
}

/**
 * One backend's end of a message that passes by: in DATA form (RFC 5321 section 4.5.2) or in chunks (RFC 3030). While octets flow
 * the backend has nothing to say; what it says all the same waits for the end of the message.
 */
export class Outlet implements LegReader {
  readonly branch: Branch
  /** The message comes and goes in chunks. */
  readonly chunked: boolean
  /** Nothing more goes there, and the connection is dropped. */
  lost = false
  /** The backend spoke before it had everything: it may refuse the message, but cannot accept it. */
  early = false
  /** No more octets until it drains. */
  blocked = false
  /** Chunks that were announced and not answered. */
  unanswered = 0
  readonly #owner: OutletOwner
  /** Undefined where octets go on in the form in which they come. */
  readonly #stuffer: DotStuffer | undefined
  #ended = false
  #attached = false
  readonly #writePiece = (piece: Octets | string): void => {
    if (typeof piece === 'string') this.#flow(this.branch.backend.leg.writeText(piece))
    else this.#flow(this.branch.backend.leg.writeView(piece))
  }

  constructor(branch: Branch, owner: OutletOwner, form: LineForm, chunked: boolean) {
    this.branch = branch
    this.chunked = chunked
    this.#owner = owner
    this.#stuffer = form === 'plain' && !chunked ? new DotStuffer() : undefined
  }

  /** Becomes the reader of the backend's leg. */
  attach(): void {
    this.#attached = true
    this.branch.backend.leg.setReader(this)
  }

  /** The backend's turn to speak. */
  detach(): void {
    if (this.#attached && !this.lost) this.branch.backend.resumeDialogue()
    this.#attached = false
  }

  /** Nothing more goes there. A backend that still waits for the rest of a message in DATA form cannot be told anything else. */
  close(): void {
    if (this.chunked || this.#ended) this.detach()
    else this.drop()
  }

  /** Announces the octets that follow; `last` completes the message. */
  chunk(size: number, last: boolean): void {
    if (!this.chunked || this.lost) return
    this.unanswered += 1
    this.early = false
    this.branch.backend.announceChunk(size, last)
  }

  /** The view is valid only during the call. */
  write(view: Octets): void {
    if (this.lost || view.length === 0) return
    if (this.#stuffer === undefined) this.#flow(this.branch.backend.leg.writeView(view))
    else this.#stuffer.stuff(view, this.#writePiece)
  }

  /** Octets that need no stuffing, one character each. */
  writeText(latin1: string): void {
    if (!this.lost && latin1 !== '') this.#flow(this.branch.backend.leg.writeText(latin1))
  }

  /** The message is complete: its end goes out, unless the backend has spoken before it. */
  end(): void {
    if (this.lost) return
    this.endPart()
    this.#ended = true
    if (!this.chunked && !this.early) this.writeText(this.#stuffer?.end() ?? '.\r\n')
  }

  /** The octets that were announced are all out. */
  endPart(): void {
    this.early ||= this.branch.backend.leg.buffered > 0
  }

  /** The connection is cut: a message whose end was not sent is thus given up (RFC 5321 section 4.1.1.4). */
  drop(): void {
    this.lost = true
    this.blocked = false
    this.branch.backend.drop()
  }

  onBytes(): number {
    this.branch.backend.leg.pause()
    return 0
  }

  onDrain(): void {
    if (!this.blocked) return
    this.blocked = false
    this.#owner.outletDrained()
  }

  onPeerEnd(): void {
    this.#lose()
  }

  onEnd(): void {
    this.#lose()
  }

  /** After the end the answer may still be among what was read: whoever awaits it finds out. */
  #lose(): void {
    if (this.lost || this.#ended) return
    this.drop()
    this.#owner.outletLost()
  }

  #flow(flowing: boolean): void {
    this.blocked = !flowing
  }
}
