// SPDX-License-Identifier: MIT
import type { Ended, Session } from '@portico/session'
import { prepare, Shared } from './client/connection.js'
import { serveHttp2 } from './http2/serve-http2.js'
import type { HttpSettings } from './schema.js'
import { serveHttp1 } from './serve-http1.js'

/** Serves one connection in the version of HTTP that its client chose by ALPN (RFC 7301, RFC 9113 section 3.2). */
export function serveHttp(session: Session, settings: HttpSettings): Promise<Ended> {
  const shared = new Shared(session, prepare(settings))
  return session.leg.tls?.alpn === 'h2' ? serveHttp2(session, shared) : serveHttp1(session, shared)
}
