// SPDX-License-Identifier: MIT
import { isIP, type Socket } from 'node:net'
import { checkServerIdentity, connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import type { BackendTls } from './leg.js'
import type { Handshake } from './tls-acceptor.js'
import { tlsFactsOf } from './tls-facts.js'

const MOST_CONTEXTS = 256
const contexts = new Map<string, SecureContext>()

/** Parsing a CA list for each connection would cost more than the rest of the handshake's set-up. */
function contextFor(ca: string | undefined): SecureContext {
  const key = ca ?? ''
  const known = contexts.get(key)
  if (known !== undefined) return known
  const context = createSecureContext({ minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) })
  if (contexts.size >= MOST_CONTEXTS) contexts.clear()
  contexts.set(key, context)
  return context
}

/**
 * Starts TLS as the client on a connected socket that nobody reads. The certificate is checked against `servername`, which may be
 * an IP address; SNI carries names only (RFC 6066 section 3).
 */
export function connectTls(raw: Socket, options: BackendTls, settled: (handshake: Handshake) => void): void {
  const { servername, verify, alpn } = options
  let socket: TLSSocket
  const failed = (cause: Error) => settled({ kind: 'failed', cause })
  try {
    socket = connect({
      socket: raw,
      secureContext: contextFor(options.ca),
      rejectUnauthorized: verify,
      checkServerIdentity: (_name, certificate) => checkServerIdentity(servername, certificate),
      ...(isIP(servername) === 0 && servername !== '' ? { servername } : {}),
      ...(alpn === undefined || alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
    })
  } catch (error) {
    failed(error instanceof Error ? error : new Error(String(error)))
    return
  }
  socket.once('error', failed)
  socket.once('secureConnect', () => {
    socket.removeListener('error', failed)
    const facts = tlsFactsOf(socket, { server: false, oneCertificate: false, wantsClientCertificate: false })
    settled({ kind: 'secure', socket, facts })
  })
}
