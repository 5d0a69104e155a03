// SPDX-License-Identifier: MIT
import type { OutgoingHttpHeaders } from 'node:http2'

/** Fields whose lines cannot be joined to one list without changing their meaning (RFC 9110 sections 5.3 and 11.6.1). */
const APART = new Set(['set-cookie', 'www-authenticate', 'proxy-authenticate'])

/**
 * The head of a response, written for HTTP/1.1, as HTTP/2 has it: what ends with a connection is gone already, names are in lower
 * case, and the reason phrase is no more (RFC 9113 section 8.3.2).
 */
export function responseFields(status: number, head: string): OutgoingHttpHeaders {
  const fields: Record<string, number | string | string[]> = { __proto__: null as never, ':status': status }
  for (let begin = head.indexOf('\r\n') + 2; ; ) {
    const end = head.indexOf('\r\n', begin)
    if (end <= begin) return fields
    const colon = head.indexOf(':', begin)
    const name = head.slice(begin, colon).toLowerCase()
    const value = head.slice(colon + 1, end).trim()
    const former = fields[name]
    if (APART.has(name)) fields[name] = Array.isArray(former) ? [...former, value] : [value]
    else fields[name] = former === undefined ? value : `${former}, ${value}`
    begin = end + 2
  }
}
