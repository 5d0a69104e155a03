// SPDX-License-Identifier: MIT
import type { Octets } from '@portico/net'
import type { Farewell } from '@portico/session'
import { goodbye } from './replies.js'
import { ResponseReader } from './response-reader.js'
import { Tail } from './tail.js'

/**
 * `* BYE` for a relayed session when the node leaves (RFC 9051 section 7.1.5), where it is certain that it stands between two
 * responses and that nothing is under way. Whenever it is not, there are no last words.
 */
export class ImapFarewell implements Farewell {
  readonly #said = new Tail()
  readonly #responses = new ResponseReader()

  toBackend(view: Octets): void {
    this.#said.push(view)
  }

  toClient(view: Octets): void {
    this.#responses.push(view)
  }

  lastWords(): string | undefined {
    if (!this.#responses.ended) return undefined
    return isSettled(this.#said, this.#responses.tail) ? goodbye('draining') : undefined
  }
}

const COMMAND = /^([!-)\x2c-~][!-~]*) ([ -~]+)$/
const COMPLETION = /^([!-)\x2c-~][!-~]*) (?:OK|NO|BAD) /i
const UNTAGGED = /^\* [^\0-\x1f\x7f]+$/
const CONTINUATION = /^\+(?: [^\0-\x1f\x7f]*)?$/

/**
 * Whether the client's last command has had its answer, or is an IDLE, during which the server may speak at any time (RFC 2177).
 *
 * This is also how a compressed session is told from a plain one (RFC 4978): there the client's last octets are the end of a
 * DEFLATE block that was flushed (00 00 FF FF), and no line of printable characters; and between the server's consent and
 * the client's first compressed octets the last line is the COMPRESS command itself.
 */
function isSettled(said: Tail, answered: Tail): boolean {
  const answers = answered.lines
  const last = said.isEmpty ? '' : said.lines?.at(-1)
  if (answers === undefined || last === undefined) return false
  if (said.isEmpty) return answers.every((line) => UNTAGGED.test(line))
  const latest = answers.at(-1) ?? ''
  if (/^DONE$/i.test(last)) return COMPLETION.test(latest)
  const [, tag, words = ''] = COMMAND.exec(last) ?? []
  if (tag === undefined || /COMPRESS/i.test(words)) return false
  if (/^IDLE$/i.test(words) && (UNTAGGED.test(latest) || CONTINUATION.test(latest))) return true
  const completion = answers.findLast((line) => !UNTAGGED.test(line)) ?? ''
  return COMPLETION.exec(completion)?.[1] === tag
}
