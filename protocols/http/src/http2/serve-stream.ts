// SPDX-License-Identifier: MIT
import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Session } from '@portico/session'
import { Connection, type Shared } from '../client/connection.js'
import { readIncoming } from '../client/incoming.js'
import type { Outcome } from '../outcome.js'
import { statusReply } from '../replies.js'
import { logRefused, logRequest } from '../request-log.js'
import { walk } from '../walk.js'
import { H2Exchange } from './h2-exchange.js'
import { readRequestHead } from './request-head.js'
import { resetStream } from './reset-stream.js'

/** A stream that was opened, with its field section. */
export interface OpenedStream {
  readonly stream: ServerHttp2Stream
  /** Names and values in turn. */
  readonly raw: readonly string[]
  /** No content follows. */
  readonly ended: boolean
}

/** What a request came to as far as its connection is concerned. */
export type StreamEnd =
  | 'answered'
  /** What was sent is no request. */
  | 'malformed'
  /** The client took its request back before it was answered. */
  | 'taken-back'
  /** The client itself was refused, not only what it asked for. */
  | 'turned-away'

/** One request of HTTP/2, from its fields to its answer. */
export class StreamCall {
  readonly session: Session
  readonly #opened: OpenedStream
  readonly #shared: Shared
  readonly #client: H2Exchange

  /** `onUpload`: content is about to come of somebody who is signed in. */
  constructor(whole: Session, shared: Shared, opened: OpenedStream, onUpload: () => void) {
    this.session = whole.fork()
    this.#shared = shared
    this.#opened = opened
    this.#client = new H2Exchange(opened.stream, whole.services.wheel, this.session.record, () => {
      if (this.session.record.user !== undefined) onUpload()
    })
    opened.stream.on('close', () => this.session.signal.abort('closed'))
  }

  /** Walks, and answers. Rejects for a bug of ours, which the client has been told by then. */
  async serve(): Promise<StreamEnd> {
    const { stream, raw, ended } = this.#opened
    const { clock } = this.session.services
    const began = clock.now()
    const head = readRequestHead(raw, ended, this.#shared.prepared.limits)
    if (head.kind === 'bad') return this.#refuse(head.status, head.why)
    const request = readIncoming(head)
    if ('kind' in request) return this.#refuse(request.status, request.why)
    const outcome = await this.#walkSafely(() =>
      walk(new Connection(this.session, this.#client, this.#shared), request),
    )
    this.#answer(outcome, head.method)
    logRequest(this.session, request, outcome, began, stream.id)
    return this.#endOf(outcome)
  }

  #refuse(status: number, why: string): StreamEnd {
    logRefused(this.session, status, why)
    this.#client.reply(statusReply(status), '', this.session.services.clock.wallNow())
    return 'malformed'
  }

  #answer(outcome: Outcome, method: string): void {
    const { stream } = this.#opened
    switch (outcome.kind) {
      case 'reply':
        // NTLM and Negotiate sign a connection in, and this one is not the request's own (RFC 9113 section 7).
        if (outcome.needsOwnLeg === true) resetStream(stream, constants.NGHTTP2_HTTP_1_1_REQUIRED)
        else this.#client.reply(outcome.reply, method, this.session.services.clock.wallNow())
        break
      case 'broken':
        resetStream(stream, constants.NGHTTP2_INTERNAL_ERROR)
        break
      case 'gone':
        resetStream(stream)
        break
      case 'proxied':
        break
    }
  }

  #endOf(outcome: Outcome): StreamEnd {
    if (outcome.kind === 'gone') return 'taken-back'
    if (this.#shared.failures >= this.session.services.limits.failures) return 'turned-away'
    const refused = outcome.kind === 'reply' && !outcome.persist && outcome.reply.status === 403
    return refused ? 'turned-away' : 'answered'
  }

  async #walkSafely(run: () => Promise<Outcome>): Promise<Outcome> {
    try {
      return await run()
    } catch (error) {
      this.#client.reply(statusReply(500), '', this.session.services.clock.wallNow())
      throw error
    }
  }
}
