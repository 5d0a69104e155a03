// SPDX-License-Identifier: MIT
import type { LegEnd } from '@portico/net'
import type { Ended, Session } from '@portico/session'
import { ClientReader } from './client/client-reader.js'
import { Connection, type Shared } from './client/connection.js'
import { H1Exchange } from './client/h1-exchange.js'
import { readIncoming } from './client/incoming.js'
import type { RequestHead } from './codec/head.js'
import type { Outcome } from './outcome.js'
import { statusReply } from './replies.js'
import { logRefused, logRequest } from './request-log.js'
import { walk } from './walk.js'

/** A client that asks nothing while the node leaves is waited for so long, in milliseconds: a request may be on its way. */
const DRAIN_WAIT = 2_000

/** Serves HTTP/1.x: request after request, each answered before the next is looked at (RFC 9112 section 9.3.2). */
export async function serveHttp1(session: Session, shared: Shared): Promise<Ended> {
  const { clock, limits } = session.services
  const { settings, limits: headLimits } = shared.prepared
  const until = clock.now() + limits.preAuth
  const reader = new ClientReader(
    session.leg,
    headLimits,
    settings,
    () => session.signal.abort('closed'),
    () => (shared.admitted ? Number.POSITIVE_INFINITY : until - clock.now()),
  )
  const client = new H1Exchange(reader, { discardBody: settings.discardBody, wallNow: () => clock.wallNow() })
  session.onDrain = () => reader.hurry(DRAIN_WAIT)
  session.leg.setDeadline(0)
  session.leg.setReader(reader)
  try {
    return await serveRequests({ connection: new Connection(session, client, shared), reader, client })
  } finally {
    session.onDrain = undefined
    await shared.binding[Symbol.asyncDispose]()
  }
}

/** A connection with its codec. */
interface Served {
  readonly connection: Connection
  readonly reader: ClientReader
  readonly client: H1Exchange
}

async function serveRequests(served: Served): Promise<Ended> {
  const { reader, connection } = served
  const { session } = connection
  for (let first = true; ; first = false) {
    const read = await reader.readHead()
    if (read.kind === 'ended') return endedBy(read.why, session.draining)
    const ended =
      read.kind === 'bad'
        ? refuse(served, read.status, read.why, first ? 'not-this-protocol' : 'too-many-errors')
        : await serveRequest(served, read)
    if (ended === undefined) continue
    await reader.linger(session.services.limits.linger)
    return ended
  }
}

function refuse({ connection, client }: Served, status: number, why: string, ended: Ended): Ended {
  logRefused(connection.session, status, why)
  client.refuse(statusReply(status))
  return ended
}

/** One request. Undefined: the connection goes on. */
async function serveRequest(served: Served, head: RequestHead): Promise<Ended | undefined> {
  const { connection, client } = served
  const began = connection.session.services.clock.now()
  const request = readIncoming(head)
  if ('kind' in request) return refuse(served, request.status, request.why, 'too-many-errors')
  client.begin(request)
  const { record } = connection.session
  const before = { user: record.user, backend: record.backend }
  // Of this request nothing is known yet; its line must not name whoever asked before.
  Object.assign(record, { user: undefined, backend: undefined })
  const outcome = await walkSafely(served, head, () => walk(connection, request))
  const persists = outcome.kind === 'reply' && (await client.reply(request, outcome.reply, outcome.persist))
  logRequest(connection.session, request, outcome, began)
  record.user ??= before.user
  record.backend ??= before.backend
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
async function walkSafely({ client }: Served, head: RequestHead, run: () => Promise<Outcome>): Promise<Outcome> {
  const before = client.ownLeg.bytesWritten
  try {
    return await run()
  } catch (error) {
    if (client.ownLeg.bytesWritten === before && head.minor === 1) client.refuse(statusReply(500))
    throw error
  }
}

function endedBy(why: LegEnd, draining: boolean): Ended {
  if (why.kind === 'idle') return draining ? 'draining' : 'idle'
  if (why.kind === 'deadline') return 'deadline'
  return 'client-closed'
}
