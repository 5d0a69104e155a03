// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { endPointHash } from './certificate-hash.js'
import type { ClientCertificate, Octets, TlsFacts } from './leg.js'
import type { ForwardedTls } from './proxy-header.js'

const LABEL = 'EXPORTER-Channel-Binding'
const NO_CONTEXT = Buffer.alloc(0)

/** What only the side that set TLS up can know. */
export interface TlsRole {
  /** Ours is the server's certificate of this connection. */
  readonly server: boolean
  /** One certificate serves all names, so that a resumed session has it as well. */
  readonly oneCertificate: boolean
  readonly wantsClientCertificate: boolean
}

/** Reads the facts of a finished handshake. */
export function tlsFactsOf(socket: TLSSocket, role: TlsRole): TlsFacts {
  const resumed = socket.isSessionReused()
  const version = socket.getProtocol() ?? ''
  const servername = 'servername' in socket && typeof socket.servername === 'string' ? socket.servername : ''
  return {
    version,
    cipher: socket.getCipher().name,
    alpn: socket.alpnProtocol || undefined,
    servername: servername === '' ? undefined : servername,
    resumed,
    certificateAsked: role.wantsClientCertificate,
    clientCertificate: role.wantsClientCertificate ? clientCertificateOf(socket) : undefined,
    channelBinding(type) {
      if (socket.destroyed) return undefined
      if (type === 'tls-exporter') return version === 'TLSv1.3' ? exporter(socket) : undefined
      // Node gives the default certificate for a resumed session, whichever name the client asked for.
      return role.server && resumed && !role.oneCertificate ? undefined : serverEndPoint(socket, role.server)
    },
  }
}

function clientCertificateOf(socket: TLSSocket): ClientCertificate | undefined {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  const { authorized, authorizationError } = socket
  return { authorized, ...(authorized ? {} : { reason: String(authorizationError) }), raw: certificate.raw }
}

/** RFC 9266 section 2. On TLS 1.2 it would need the extended master secret, which Node does not tell. */
function exporter(socket: TLSSocket): Octets {
  return socket.exportKeyingMaterial(32, LABEL, NO_CONTEXT)
}

/** RFC 5929 section 4.1. */
function serverEndPoint(socket: TLSSocket, server: boolean): Octets | undefined {
  const certificate = server ? socket.getX509Certificate() : socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  const hash = endPointHash(certificate.raw)
  return hash === undefined ? undefined : createHash(hash).update(certificate.raw).digest()
}

/**
 * A trusted balancer says that it took TLS off; the leg counts as encrypted, without a channel binding. A client certificate is
 * one that the balancer has verified.
 */
export function forwardedTls(
  { version, clientVerified, cn }: ForwardedTls,
  alpn: string | undefined,
  name: string | undefined,
): TlsFacts {
  return {
    version: version ?? 'unknown',
    cipher: 'unknown',
    alpn,
    servername: name,
    resumed: false,
    certificateAsked: false,
    clientCertificate: clientVerified && cn !== undefined ? { authorized: true, commonName: cn } : undefined,
    channelBinding: () => undefined,
  }
}
