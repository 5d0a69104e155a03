// SPDX-License-Identifier: MIT
import { randomBytes, X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type TLSSocket,
} from 'node:tls'
import type { TlsAcceptor, TlsCertificate, TlsFacts } from './leg.js'
import { tlsFactsOf } from './tls-facts.js'

/** TLS 1.2 suites of Mozilla's intermediate profile without finite-field DHE, and all of TLS 1.3. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** What the TLS side of one listener is made of. */
export interface TlsAcceptorOptions {
  /** Sessions are resumed only on the listener of this name, so that one with laxer rules cannot vouch for another. */
  readonly listener: string
  /** The first is the default. */
  readonly certificates: readonly TlsCertificate[]
  /** Protocol ids, most wanted first (RFC 7301); empty: the extension is ignored. */
  readonly alpn: readonly string[]
  /** Asks for a client certificate issued by this CA (PEM); one that is missing or bad is reported, not refused. */
  readonly clientCertificates?: { readonly ca: string }
  /** 48 octets shared by all processes that serve the listener; random when absent. */
  readonly ticketKeys?: Buffer
}

/**
 * Makes the TLS side of a listener: TLS 1.2 and later. Throws when a certificate or key cannot be read, and `TypeError` when
 * the certificates have keys of different types (`swap` likewise, changing nothing).
 */
export function createTlsAcceptor(options: TlsAcceptorOptions): TlsAcceptor {
  return new ServerAcceptor(options)
}

/** How a handshake ended: with a secure socket, or with an error after which the socket is already destroyed. */
export type Handshake =
  | { readonly kind: 'secure'; readonly socket: TLSSocket; readonly facts: TlsFacts }
  | { readonly kind: 'failed'; readonly cause: Error }

/**
 * A tls.Server that never listens: it is given sockets. This way Node checks client certificates and ends failed handshakes as
 * it does for a listening one.
 */
export class ServerAcceptor implements TlsAcceptor {
  readonly #options: TlsAcceptorOptions
  readonly #ticketKeys: Buffer
  readonly #server: import('node:tls').Server
  readonly #waiting = new WeakMap<Socket, (handshake: Handshake) => void>()
  #contexts = new Map<string, SecureContext>()
  #oneCertificate = true

  constructor(options: TlsAcceptorOptions) {
    sameKeyType(options.certificates)
    this.#options = options
    this.#ticketKeys = options.ticketKeys ?? randomBytes(48)
    const { alpn, clientCertificates } = options
    this.#server = createServer({
      ...this.#contextOptions(first(options.certificates)),
      ticketKeys: this.#ticketKeys,
      requestCert: clientCertificates !== undefined,
      rejectUnauthorized: false,
      ...(alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {}),
      SNICallback: (name, done) => done(null, this.#contextFor(name)),
    })
    this.#server.on('secureConnection', (socket) => this.#secured(socket))
    this.#server.on('tlsClientError', (cause, socket) => {
      socket.destroy()
      this.#settle(socket, { kind: 'failed', cause })
    })
    this.#fill(options.certificates)
  }

  swap(certificates: readonly TlsCertificate[]): void {
    sameKeyType(certificates)
    const options = this.#contextOptions(first(certificates))
    this.#fill(certificates)
    this.#server.setSecureContext({ ...options, ticketKeys: this.#ticketKeys })
  }

  close(): void {
    this.#server.removeAllListeners()
    this.#contexts.clear()
  }

  /** Starts the handshake on a socket that nobody else reads; what belongs to it must have been put back before. */
  accept(raw: Socket, settled: (handshake: Handshake) => void): void {
    this.#waiting.set(raw, settled)
    this.#server.emit('connection', raw)
  }

  #secured(socket: TLSSocket): void {
    socket.disableRenegotiation()
    const facts = tlsFactsOf(socket, {
      server: true,
      oneCertificate: this.#oneCertificate,
      wantsClientCertificate: this.#options.clientCertificates !== undefined,
    })
    this.#settle(socket, { kind: 'secure', socket, facts })
  }

  #settle(socket: TLSSocket, handshake: Handshake): void {
    const raw = rawOf(socket)
    const settled = raw === undefined ? undefined : this.#waiting.get(raw)
    if (raw === undefined || settled === undefined) {
      socket.destroy()
      return
    }
    this.#waiting.delete(raw)
    settled(handshake)
  }

  /** Nothing but the certificate may depend on the name: a resumed session does not ask for it. */
  #contextFor(name: string): SecureContext | undefined {
    const wanted = name.toLowerCase()
    const dot = wanted.indexOf('.')
    return this.#contexts.get(wanted) ?? (dot > 0 ? this.#contexts.get(`*${wanted.slice(dot)}`) : undefined)
  }

  #fill(certificates: readonly TlsCertificate[]): void {
    const contexts = new Map<string, SecureContext>()
    for (const certificate of certificates) {
      const context = createSecureContext({ ...this.#contextOptions(certificate), ticketKeys: this.#ticketKeys })
      for (const name of certificate.names) {
        const key = name.toLowerCase()
        if (!contexts.has(key)) contexts.set(key, context)
      }
    }
    this.#contexts = contexts
    this.#oneCertificate = certificates.length === 1
  }

  #contextOptions(certificate: TlsCertificate): SecureContextOptions {
    const { clientCertificates, listener } = this.#options
    return {
      cert: certificate.certificate,
      key: certificate.key,
      minVersion: 'TLSv1.2',
      ciphers: CIPHERS,
      honorCipherOrder: false,
      ecdhCurve: 'X25519:prime256v1:secp384r1',
      sessionIdContext: listener.slice(0, 32),
      ...(clientCertificates === undefined ? {} : { ca: clientCertificates.ca }),
    }
  }
}

function first(certificates: readonly TlsCertificate[]): TlsCertificate {
  const [certificate] = certificates
  if (certificate === undefined) throw new TypeError('a TLS listener needs a certificate')
  return certificate
}

/**
 * Node adds the certificate that a name selects to the default one instead of replacing it, so that with keys of two types the
 * client's preference, and not the name, would decide between them.
 */
function sameKeyType(certificates: readonly TlsCertificate[]): void {
  const types = new Set(certificates.map((each) => new X509Certificate(each.certificate).publicKey.asymmetricKeyType))
  if (types.size > 1) {
    throw new TypeError(`the certificates of one listener need keys of one type, not of ${[...types].join(' and ')}`)
  }
}

/** The socket below a TLS socket. Node has no public name for it; without it the handshake is refused. */
function rawOf(socket: TLSSocket): Socket | undefined {
  return (socket as TLSSocket & { readonly _parent?: Socket })._parent
}
