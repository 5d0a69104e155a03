// SPDX-License-Identifier: MIT
import type { Protocol } from '@portico/session'
import { httpDriver } from './backend/driver.js'
import { httpProblems, httpWarnings } from './check.js'
import { formatReply, statusReply } from './replies.js'
import { type HttpSettings, httpListenerSchema, httpSchema } from './schema.js'
import { serveHttp } from './session.js'

/** HTTP/1.1 (RFC 9110, RFC 9112) and HTTP/2 (RFC 9113): the walk once per request. */
export const http: Protocol<HttpSettings> = {
  name: 'http',
  alpn: ({ http2 }) => [...(http2 ? ['h2'] : []), 'http/1.1', 'http/1.0'],
  ports: { plain: 80, implicit: 443 },
  // Without TLS of its own it is a door, or stands behind something whose name and port only the site knows.
  isForClients: (_, { tls }) => tls === 'implicit',
  identities: ['password', 'token', 'header', 'none'],
  schema: httpSchema,
  listenerSchema: httpListenerSchema,
  check: httpProblems,
  warnings: httpWarnings,
  components: ({ directories }) => directories.map(({ component }) => component),
  drivers: () => [httpDriver],
  serve: serveHttp,
  tooBusy: Buffer.from(
    formatReply(statusReply(503, 'Retry-After: 5\r\n'), { persist: false, minor: 1, head: false, wallNow: undefined }),
  ),
}
