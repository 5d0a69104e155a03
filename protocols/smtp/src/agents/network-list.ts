// SPDX-License-Identifier: MIT
import { type Networks, networksOf } from '@portico/base'
import { linesOf } from './list-file.js'

/** One line of a list: an address or CIDR block, and until when it counts (milliseconds since the epoch). */
export interface NetworkEntry {
  readonly network: string
  readonly until?: number
}

/** A set of networks, of which some count only for a time. */
export class NetworkList {
  readonly #lasting: Networks
  readonly #passing: readonly { readonly networks: Networks; readonly until: number }[]

  /** Throws `TypeError` for an entry that is no network. */
  constructor(entries: readonly NetworkEntry[]) {
    this.#lasting = networksOf(entries.flatMap(({ network, until }) => (until === undefined ? [network] : [])))
    this.#passing = entries.flatMap(({ network, until }) =>
      until === undefined ? [] : [{ networks: networksOf([network]), until }],
    )
  }

  /** `now` in milliseconds since the epoch. */
  holds(address: string, now: number): boolean {
    if (this.#lasting.contains(address)) return true
    return this.#passing.some(({ networks, until }) => now < until && networks.contains(address))
  }
}

const LINE = /^(\S+)(?:\s+until\s+(\S+))?$/
/** With its offset: a time of nowhere would mean another moment on each host. */
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/

/**
 * Reads a list: one address or CIDR block a line, perhaps with `until` and an RFC 3339 timestamp; `#` and `;` begin comments. Throws
 * `TypeError` that names the line.
 */
export function parseNetworkList(text: string): readonly NetworkEntry[] {
  return linesOf(text, /[#;].*/).map(({ line, number }) => {
    const entry = parseLine(line)
    if (entry === undefined) throw new TypeError(`line ${number}: expected a network, perhaps with "until" and a time`)
    return entry
  })
}

function parseLine(line: string): NetworkEntry | undefined {
  const [, network = '', time] = LINE.exec(line) ?? []
  const until = time === undefined ? undefined : parseTimestamp(time)
  if (!isNetwork(network) || (time !== undefined && until === undefined)) return undefined
  return until === undefined ? { network } : { network, until }
}

/** RFC 3339, as milliseconds since the epoch. */
export function parseTimestamp(text: string): number | undefined {
  const time = TIMESTAMP.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

/** Whether a text is an address or a CIDR block. */
export function isNetwork(text: string): boolean {
  try {
    networksOf([text])
    return true
  } catch {
    return false
  }
}
