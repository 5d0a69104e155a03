// SPDX-License-Identifier: MIT

/** The name of a host without a port, in ASCII: labels of letters, digits and inner hyphens (RFC 1123 section 2.1). */
export const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$/

/** One end of a connection. IPv4-mapped IPv6 addresses are already written as IPv4. `address` of a Unix socket is its path, port 0. */
export interface Endpoint {
  readonly address: string
  readonly port: number
  readonly family: 4 | 6 | 'unix'
}

/** Where to listen or connect, as written in the configuration: `host:port`, `[v6]:port` or `unix:/path`. */
export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/** Reads `host:port`, `[v6]:port` or `unix:/path`; `undefined` when it is none of them. Ports are 0 to 65535. */
export function parseAddress(text: string): Address | undefined {
  if (text.startsWith('unix:')) return text.length > 5 ? { kind: 'unix', path: text.slice(5) } : undefined
  const match = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const port = Number(match[3])
  return port <= 65535 ? { kind: 'tcp', host: match[1] ?? match[2] ?? '', port } : undefined
}

/** The inverse of {@link parseAddress}. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

const MAPPED = /^::ffff:\d+\.\d+\.\d+\.\d+$/i

/** `::ffff:192.0.2.1` becomes `192.0.2.1`; anything else stays (RFC 4291 section 2.5.5.2). */
export function unmapped(address: string): string {
  return address.startsWith('::') && MAPPED.test(address) ? address.slice(7) : address
}
