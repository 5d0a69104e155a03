// SPDX-License-Identifier: MIT
import type { BackendDialogue, BackendFailed } from '@portico/session'
import { capabilityCode, capabilityNames, parseResponse } from './parse.js'

/** A completed command: the backend's verdict and everything that it said untagged before, as whole lines. */
export interface Completed {
  readonly kind: 'completed'
  readonly status: 'OK' | 'NO' | 'BAD'
  /** What follows the status: an optional response code and text. */
  readonly rest: string
  readonly untagged: readonly string[]
  /** The capabilities that it announced meanwhile, if it did. */
  readonly capabilities: ReadonlySet<string> | undefined
}

/** Asks a backend (RFC 9051 section 2.2). */
export class BackendClient {
  readonly #dialogue: BackendDialogue
  readonly #prefix: string
  #commands = 0

  /** `prefix` begins the tags; another one for each user of a connection keeps them unique (RFC 9051 section 2.2.1). */
  constructor(dialogue: BackendDialogue, prefix: string) {
    this.#dialogue = dialogue
    this.#prefix = prefix
  }

  /** Sends a command; each line of `continuations` answers one `+` of the backend. */
  command(line: string, continuations: readonly string[] = []): Promise<Completed | BackendFailed> {
    return this.answerTo(this.send(line), continuations)
  }

  /** Sends a command's first line and returns its tag. Answers are then awaited in the order of sending. */
  send(line: string): string {
    this.#commands += 1
    const tag = `${this.#prefix}${this.#commands}`
    this.#dialogue.send(`${tag} ${line}\r\n`)
    return tag
  }

  /** The answer to a command that was sent. */
  async answerTo(tag: string, continuations: readonly string[] = []): Promise<Completed | BackendFailed> {
    const answers = [...continuations]
    const untagged: string[] = []
    let capabilities: ReadonlySet<string> | undefined
    for (;;) {
      const read = await this.#dialogue.line()
      if (read.kind === 'failed') return read
      const response = parseResponse(read.text, tag)
      switch (response.kind) {
        case 'tagged': {
          const { status, rest } = response
          return { kind: 'completed', status, rest, untagged, capabilities: capabilityCode(rest) ?? capabilities }
        }
        case 'continue': {
          const answer = answers.shift()
          if (answer === undefined) return this.#dialogue.fail('garbage')
          this.#dialogue.send(`${answer}\r\n`)
          break
        }
        case 'untagged':
          if (response.name === 'BYE') return this.#dialogue.fail('closed')
          if (response.name === 'CAPABILITY') capabilities = capabilityNames(response.rest)
          else if (response.name === 'OK') capabilities = capabilityCode(response.rest) ?? capabilities
          untagged.push(read.text)
          break
        case 'garbage':
          return this.#dialogue.fail('garbage')
      }
    }
  }
}
