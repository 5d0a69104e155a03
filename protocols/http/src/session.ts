// SPDX-License-Identifier: MIT
import type { LegEnd } from '@portico/net'
import type { Ended, Session } from '@portico/session'
import { ClientReader } from './client-reader.js'
import type { RequestHead } from './codec/head.js'
import { Connection, prepare } from './connection.js'
import { readIncoming } from './incoming.js'
import type { Outcome } from './outcome.js'
import { statusReply } from './replies.js'
import { walk } from './request.js'
import type { HttpSettings } from './schema.js'

/** A client that asks nothing while the node leaves is waited for so long, in milliseconds: a request may be on its way. */
const DRAIN_WAIT = 2_000

/** Serves one connection: request after request, each answered before the next is looked at (RFC 9112 section 9.3.2). */
export async function serveHttp(session: Session, settings: HttpSettings): Promise<Ended> {
  const made = prepare(settings)
  const { clock, limits } = session.services
  const until = clock.now() + limits.preAuth
  const reader = new ClientReader(
    session.leg,
    made.limits,
    settings,
    () => session.signal.abort('closed'),
    () => (connection.admitted ? Number.POSITIVE_INFINITY : until - clock.now()),
  )
  const connection: Connection = new Connection(session, made, reader)
  session.onDrain = () => reader.hurry(DRAIN_WAIT)
  session.leg.setDeadline(0)
  session.leg.setReader(reader)
  try {
    return await serveRequests(connection)
  } finally {
    session.onDrain = undefined
  }
}

async function serveRequests(connection: Connection): Promise<Ended> {
  const { session, reader } = connection
  for (let first = true; ; first = false) {
    const read = await reader.readHead()
    if (read.kind === 'ended') return endedBy(read.why, session.draining)
    const ended =
      read.kind === 'bad'
        ? refuse(connection, read.status, read.why, first ? 'not-this-protocol' : 'too-many-errors')
        : await serveRequest(connection, read)
    if (ended === undefined) continue
    await reader.linger(session.services.limits.linger)
    return ended
  }
}

function refuse(connection: Connection, status: number, why: string, ended: Ended): Ended {
  const { session } = connection
  session.services.log.debug('request refused', { session: session.id, status, why })
  connection.refuse(statusReply(status))
  return ended
}

/** One request. Undefined: the connection goes on. */
async function serveRequest(connection: Connection, head: RequestHead): Promise<Ended | undefined> {
  const { session } = connection
  const began = session.services.clock.now()
  const request = readIncoming(head)
  if ('kind' in request) return refuse(connection, request.status, request.why, 'too-many-errors')
  const outcome = await walkSafely(connection, head, () => walk(connection, request))
  connection.admitted ||= outcome.kind === 'proxied'
  const persists = outcome.kind === 'reply' && (await connection.reply(request, outcome.reply, outcome.persist))
  session.services.log.debug('request', {
    session: session.id,
    method: head.method,
    path: request.path,
    status: outcome.kind === 'reply' ? outcome.reply.status : outcome.kind === 'gone' ? 0 : outcome.status,
    user: session.record.user,
    backend: session.record.backend,
    ms: Math.round(session.services.clock.now() - began),
  })
  if (persists) return undefined
  return afterwards(connection, outcome)
}

/** How the connection stands after an outcome that did not already settle it. */
function afterwards(connection: Connection, outcome: Outcome): Ended | undefined {
  const { session } = connection
  switch (outcome.kind) {
    case 'proxied':
      return outcome.persist ? undefined : session.draining ? 'draining' : 'logout'
    case 'reply':
      return connection.failures >= session.services.limits.failures ? 'too-many-failures' : 'refused'
    case 'broken':
      // Not closed politely: a client that reads until the end would take the part for the whole.
      session.leg.destroy({ reset: true })
      return 'backend-closed'
    case 'gone':
      return 'client-closed'
  }
}

/** A fault of ours is told before it ends the session: 500, and the error goes on to the host. */
async function walkSafely(connection: Connection, head: RequestHead, run: () => Promise<Outcome>): Promise<Outcome> {
  const before = connection.session.leg.bytesWritten
  try {
    return await run()
  } catch (error) {
    if (connection.session.leg.bytesWritten === before && head.minor === 1) connection.refuse(statusReply(500))
    throw error
  }
}

function endedBy(why: LegEnd, draining: boolean): Ended {
  if (why.kind === 'idle') return draining ? 'draining' : 'idle'
  if (why.kind === 'deadline') return 'deadline'
  return 'client-closed'
}
