// SPDX-License-Identifier: MIT
import { type Backend, formatAddress } from '@portico/base'
import type { Target } from './target.js'

/**
 * Contact fields for these backends, the wanted one first and with the highest `q` (RFC 3261 section 20.10). A client that asked by
 * a SIPS URI gets nothing else (RFC 5630 section 5.4): then only those count that speak TLS.
 */
export function contactsOf(backends: readonly Backend[], target: Target, secure: boolean): readonly string[] {
  const usable = backends.filter(({ transport }) => !secure || transport === 'tls')
  const uris = usable.map((backend) => `<${uriOf(backend, target, secure)}>`)
  if (uris.length < 2) return uris.map((uri) => `Contact: ${uri}`)
  return uris.map((uri, index) => `Contact: ${uri};q=${(1 - index / 10).toFixed(1)}`)
}

function uriOf({ address, transport }: Backend, { user, isPhone }: Target, secure: boolean): string {
  const phone = isPhone ? ';user=phone' : ''
  const place = `${user}@${formatAddress(address)}${phone}`
  // SIPS is TLS on the whole way; `transport=tls` is not said beside it (RFC 3261 section 26.2.2).
  return secure ? `sips:${place}` : `sip:${place};transport=${transport ?? 'udp'}`
}
