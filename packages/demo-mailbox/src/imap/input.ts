// SPDX-License-Identifier: MIT

const MAX_LINE = 65_536
const MAX_LITERAL = 32 * 1024 * 1024

/** Puts commands together from octets: a command is its lines with the literals between them. */
export class CommandInput {
  #held: Buffer = Buffer.alloc(0)
  /** Where the present line begins in what is held, behind the literals before it. */
  #lineAt = 0
  /** A literal was announced and its client waits for the word to go on. */
  #invited = false
  readonly #invite: () => void

  /** `invite` tells the client that its literal may come. */
  constructor(invite: () => void) {
    this.#invite = invite
  }

  push(bytes: Buffer): void {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
  }

  /** The next command in Latin-1 without its last CRLF; undefined while it is incomplete, `too-long` when it is over a limit. */
  next(): { readonly kind: 'command'; readonly text: string } | { readonly kind: 'too-long' } | undefined {
    for (;;) {
      const end = this.#held.indexOf('\r\n', this.#lineAt)
      if (end < 0) return this.#held.length - this.#lineAt > MAX_LINE ? { kind: 'too-long' } : undefined
      const line = this.#held.toString('latin1', this.#lineAt, end)
      const literal = /\{(\d{1,10})(\+?)\}$/.exec(line)
      if (literal === null) return { kind: 'command', text: this.#take(end) }
      const size = Number(literal[1])
      if (size > MAX_LITERAL || end + size > MAX_LITERAL + MAX_LINE) return { kind: 'too-long' }
      if (this.#held.length < end + 2 + size) {
        if (literal[2] === '' && !this.#invited) this.#invite()
        this.#invited = true
        return undefined
      }
      this.#invited = false
      this.#lineAt = end + 2 + size
    }
  }

  #take(end: number): string {
    const text = this.#held.toString('latin1', 0, end)
    this.#held = this.#held.subarray(end + 2)
    this.#lineAt = 0
    return text
  }
}
