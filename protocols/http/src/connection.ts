// SPDX-License-Identifier: MIT
import type { AuthContext } from '@portico/auth'
import { authContextOf, type Session } from '@portico/session'
import type { BodyTaker, ClientReader } from './client-reader.js'
import { type BodyDecoder, decoderFor } from './codec/body.js'
import type { HeadLimits } from './codec/head.js'
import { type DirectoryTable, directoryTable } from './directories.js'
import type { Incoming } from './incoming.js'
import { formatReply, type Reply } from './replies.js'
import type { HttpSettings } from './schema.js'
import { SignedIn } from './signed-in.js'

/** What is derived from the settings once. */
export interface Prepared {
  readonly settings: HttpSettings
  readonly table: DirectoryTable
  readonly limits: HeadLimits
}

const prepared = new WeakMap<HttpSettings, Prepared>()

/** Derives it, once for each configuration. */
export function prepare(settings: HttpSettings): Prepared {
  const known = prepared.get(settings)
  if (known !== undefined) return known
  const { maxHead: head, maxTarget: target, maxFields: fields } = settings
  const made = { settings, table: directoryTable(settings.directories), limits: { head, target, fields } }
  prepared.set(settings, made)
  return made
}

/** One client connection and what its requests have in common. */
export class Connection {
  readonly session: Session
  readonly prepared: Prepared
  readonly reader: ClientReader
  readonly signedIn: SignedIn
  /** Who speaks to us, whomever it speaks for. */
  readonly peer: string
  /** Failed sign-ins since the last good one. */
  failures = 0
  /** A request has reached a backend and was answered there: the client's time is no longer that of strangers. */
  admitted = false
  #context: AuthContext | undefined

  constructor(session: Session, made: Prepared, reader: ClientReader) {
    this.session = session
    this.peer = session.leg.facts.peer.address
    this.prepared = made
    this.reader = reader
    this.signedIn = new SignedIn(session.services.clock)
  }

  /** What the auth core is told; made anew when a sign-in has failed, and for another client. */
  get context(): AuthContext {
    const { peer } = this.session.leg.facts
    const known = this.#context
    if (known?.failures === this.failures && known.client.peer === peer) return known
    this.#context = authContextOf(this.session, this.failures)
    return this.#context
  }

  /** Whether a new request may be served at all. */
  get active(): boolean {
    const state = this.session.services.states().get(this.session.protocol) ?? 'active'
    return !this.session.draining && state === 'active'
  }

  /**
   * Sends a reply of our own and gets rid of the request's body. True: the connection can go on. Where the body is too long to
   * be dropped, or the client waits for leave to send it (RFC 9110 section 10.1.1), the connection ends.
   */
  async reply(request: Incoming, reply: Reply, mayPersist: boolean): Promise<boolean> {
    const { head, body } = request
    const persist = mayPersist && request.persist && this.#canDrop(request)
    const frame = { persist, minor: head.minor, head: head.method === 'HEAD', wallNow: this.#wallNow() }
    this.reader.leg.writeText(formatReply(reply, frame))
    if (!persist) return false
    if (body.kind === 'none') return true
    return dropBody(this.reader, decoderFor(body), this.prepared.settings.discardBody)
  }

  /** Sends a last reply to what is no request. */
  refuse(reply: Reply): void {
    const frame = { persist: false, minor: 1, head: false, wallNow: this.#wallNow() } as const
    this.reader.leg.writeText(formatReply(reply, frame))
  }

  #canDrop({ body, expectsContinue }: Incoming): boolean {
    if (body.kind === 'none' || (body.kind === 'length' && body.length === 0)) return true
    const { discardBody } = this.prepared.settings
    return !expectsContinue && (body.kind === 'chunked' || (body.kind === 'length' && body.length <= discardBody))
  }

  #wallNow(): number {
    return this.session.services.clock.wallNow()
  }
}

/** Reads a body to its end and forgets it. False: it is longer than `limit`, broken, or the client went away. */
function dropBody(reader: ClientReader, decoder: BodyDecoder, limit: number): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (whole: boolean): void => {
      reader.detach()
      resolve(whole)
    }
    let left = limit
    const taker: BodyTaker = {
      get wantsBody() {
        return !decoder.done && left >= 0
      },
      takeBody(view) {
        const taken = decoder.push(view)
        left -= taken
        if (decoder.done) finish(true)
        else if (left < 0 || decoder.fault !== undefined) finish(false)
        return taken
      },
      clientDrained() {},
      clientFinished: () => finish(decoder.done),
      clientGone: () => finish(false),
    }
    if (decoder.done) return finish(true)
    reader.hurryBody()
    reader.attach(taker)
  })
}
