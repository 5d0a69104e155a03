// SPDX-License-Identifier: MIT
import type { BodyDecoder } from '../codec/body.js'
import { LAST_CHUNK, writeContent } from '../codec/encode.js'
import type { ExchangePlan } from './exchange-plan.js'

/** Why a request's body is not taken further. */
export type UploadFault = 'too-long' | 'broken' | 'too-slow'

/** Puts a request's body to the backend as it comes, with back-pressure. */
export class Upload {
  /** Octets of the body were taken, if only framing: it cannot be read again. */
  begun = false
  fault: UploadFault | undefined
  readonly #plan: ExchangePlan
  readonly #decoder: BodyDecoder
  readonly #chunked: boolean
  #size = 0
  #view: Buffer | undefined

  constructor(plan: ExchangePlan) {
    this.#plan = plan
    this.#decoder = plan.client.decoderFor(plan.body)
    this.#chunked = plan.body.kind === 'chunked'
  }

  /** The body has been taken to its end. */
  get done(): boolean {
    return this.#decoder.done
  }

  /** Octets from the client; returns how many belong to the body. An empty view: its end was told apart from its octets. */
  take(view: Buffer): number {
    const { client, backend, pace } = this.#plan
    const taken = this.#decoder.push(view)
    this.begun ||= taken > 0
    this.#size += this.#decoder.size
    this.fault = this.#faultAfter(taken)
    if (this.fault !== undefined) return taken
    this.#view = view
    backend.batch(this.#write)
    this.#view = undefined
    if (this.done) client.setBodyTimeout(0)
    else if (backend.needsDrain) {
      pace?.hold()
      client.pause()
    }
    return taken
  }

  /** The backend has taken what it was given. */
  goOn(): void {
    this.#plan.pace?.go()
    this.#plan.client.resume()
  }

  /** What is wrong with the body now that so many more octets of it have come. */
  #faultAfter(taken: number): UploadFault | undefined {
    const { maxBody, pace } = this.#plan
    if (this.#size > maxBody) return 'too-long'
    if (this.#decoder.fault !== undefined) return 'broken'
    return this.done || pace?.came(taken) !== false ? undefined : 'too-slow'
  }

  readonly #write = (): void => {
    if (this.#view === undefined) return
    writeContent(this.#plan.backend, this.#view, this.#decoder, this.#chunked)
    if (this.#chunked && this.done) this.#plan.backend.writeText(LAST_CHUNK)
  }
}
