// SPDX-License-Identifier: MIT
import type { BackendReply } from './reply.js'

/** Replies longer than this are not worth their memory. */
const LONGEST = 512

/**
 * Recipients that backends have refused as unknown a short time ago, so that who guesses names does not ask the backends each time.
 * For senders who have not signed in. Bounded: the oldest ones are forgotten first.
 */
export class RecipientMemory {
  readonly #keepMs: number
  readonly #max: number
  readonly #known = new Map<string, { readonly reply: BackendReply; readonly until: number }>()

  /** `keep` in milliseconds; 0 remembers nothing. */
  constructor({ keep, max }: { readonly keep: number; readonly max: number }) {
    this.#keepMs = keep
    this.#max = max
  }

  get size(): number {
    return this.#known.size
  }

  /** What the backends of `where` said of the recipient. `now` in milliseconds, by a clock that never goes back. */
  knows(where: string, recipient: string, now: number): BackendReply | undefined {
    const key = keyOf(where, recipient)
    const known = this.#known.get(key)
    if (known === undefined) return undefined
    if (now < known.until) return known.reply
    this.#known.delete(key)
    return undefined
  }

  /** Takes notice of a reply to RCPT; only one that says that there is no such mailbox is kept. */
  remember(where: string, recipient: string, reply: BackendReply, now: number): void {
    if (this.#keepMs <= 0 || !saysUnknown(reply)) return
    const key = keyOf(where, recipient)
    this.#known.delete(key)
    this.#known.set(key, { reply, until: now + this.#keepMs })
    if (this.#known.size <= this.#max) return
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest)
      return
    }
  }
}

/**
 * Whether it says that there is no such mailbox (5.1.1, RFC 3463 section 3.2), or that its domain takes no mail (5.1.10, RFC 7505):
 * nothing that depends on the sender. 551 and 553 are said for it, too (RFC 5321 section 4.2.3).
 */
export function saysUnknown({ code, lines }: BackendReply): boolean {
  if (code !== 550 && code !== 551 && code !== 553) return false
  if (lines.reduce((sum, line) => sum + line.length, 0) > LONGEST) return false
  return /^5\.1\.(?:1|10)(?: |$)/.test(lines[0])
}

/** The domain is the same in any case, the local part need not be (RFC 5321 section 2.4). */
function keyOf(where: string, recipient: string): string {
  const at = recipient.lastIndexOf('@') + 1
  return JSON.stringify([where, recipient.slice(0, at) + recipient.slice(at).toLowerCase()])
}
