// SPDX-License-Identifier: MIT

/** A message as one datagram holds it. */
export interface WholeMessage {
  /** Without the empty line; one character for each octet. */
  readonly head: string
  /** Octets behind the empty line. */
  readonly bodyLength: number
  /** There is an empty line. */
  readonly complete: boolean
}

/**
 * Cuts a datagram into head and body (RFC 3261 section 18.3). Undefined for one of line ends alone, which keeps some NAT awake.
 */
export function parseDatagram(bytes: Buffer): WholeMessage | undefined {
  let start = 0
  while (bytes[start] === 13 && bytes[start + 1] === 10) start += 2
  if (start === bytes.length) return undefined
  const end = bytes.indexOf('\r\n\r\n', start)
  const head = bytes.toString('latin1', start, end < 0 ? bytes.length : end)
  return { head, bodyLength: end < 0 ? 0 : bytes.length - end - 4, complete: end >= 0 }
}
