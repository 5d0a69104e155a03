// SPDX-License-Identifier: MIT
import type { ListenerFacts, Session } from '@portico/session'
import type { Connection } from '../client/connection.js'
import type { Incoming } from '../client/incoming.js'
import { type Outcome, reply } from '../outcome.js'
import { failureReply, redirectReply, statusReply } from '../replies.js'
import type { HttpListenerOptions, HttpSettings } from '../schema.js'
import { acmeTokenOf, readChallenge } from './acme.js'

/** What tells a door from other listeners. */
export type DoorFacts = Pick<ListenerFacts, 'tls' | 'plaintextPasswords' | 'options'>

/**
 * Whether a listener only leads to the encrypted side, as one on port 80 should: where it says so itself, else wherever nothing
 * could be signed in to on it and there is an address to lead to.
 */
export function isDoor({ tls, plaintextPasswords, options }: DoorFacts, { httpsUrl }: HttpSettings): boolean {
  if (tls !== 'none' || httpsUrl === undefined) return false
  return (options as HttpListenerOptions).door ?? plaintextPasswords === 'never'
}

/** Whether a session is at such a listener. One whose TLS a balancer took off is where it was led to. */
export function isAtDoor({ leg, listener }: Session, settings: HttpSettings): boolean {
  return leg.tls === undefined && isDoor(listener, settings)
}

/** What Outlook asks without encryption, and expects to be led on by 302 alone. */
const AUTODISCOVER = '/autodiscover/autodiscover.xml'

/**
 * Answers at a door: the challenges of a certificate authority (RFC 8555 section 8.3), and the way to the encrypted side for who
 * only reads and has shown no password. Nothing goes to a backend, and nobody is told which paths there are.
 */
export async function atDoor(connection: Connection, request: Incoming): Promise<Outcome> {
  const { settings } = connection.prepared
  const { method } = request.head
  const { httpsUrl = '' } = settings
  if ((method !== 'GET' && method !== 'HEAD') || request.authorization !== undefined) {
    return reply(failureReply('encryption-required'))
  }
  const token = settings.acmeWebroot === undefined ? undefined : acmeTokenOf(request.path)
  if (settings.acmeWebroot !== undefined && token !== undefined) {
    return challenge(connection, settings.acmeWebroot, token)
  }
  if (request.path.toLowerCase() === AUTODISCOVER) return reply(redirectReply(302, httpsUrl + AUTODISCOVER))
  return reply(redirectReply(308, httpsUrl + request.path + request.query))
}

async function challenge({ session }: Connection, webroot: string, token: string): Promise<Outcome> {
  const read = await readChallenge(session.services.pathOf(webroot), token)
  if (read.kind === 'text') {
    const { text: body } = read
    const contentType = 'application/octet-stream'
    return reply({ status: 200, fields: 'Cache-Control: no-store\r\n', body, contentType })
  }
  if (read.code !== 'ENOENT') {
    session.services.log.warn('acme challenge not served', { session: session.id, token, code: read.code })
  }
  return reply(statusReply(404))
}
