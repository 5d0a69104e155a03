// SPDX-License-Identifier: MIT
import { routeTo } from '@portico/session'
import { hopsOf } from './backend/headers.js'
import { proxy } from './backend/proxy.js'
import { takeForwardedClient } from './client/client-facts.js'
import type { Connection } from './client/connection.js'
import type { Incoming } from './client/incoming.js'
import type { Placed } from './directory/directories.js'
import { type Outcome, reply } from './outcome.js'
import { failureReply } from './replies.js'
import { encryptionRequired } from './sign-in/sign-in.js'

/** Whether the directory serves this path without a sign-in. Only the path itself counts, to the letter. */
export function isForStrangers({ directory: { preAuth, group }, rest }: Placed): boolean {
  return preAuth.length > 0 && group !== undefined && preAuth.includes(rest)
}

/** Why a client is not served without a sign-in either: encryption, a rule, or too many failures of its address. */
export async function admitStranger(connection: Connection, request: Incoming): Promise<Outcome | undefined> {
  const { session } = connection
  takeForwardedClient(session, request.head.fields)
  const refusal = await session.services.authenticator.refuseStranger(connection.context)
  if (refusal?.reason === 'encryption-required') return encryptionRequired({ connection }, request)
  if (refusal === undefined) return undefined
  return reply(failureReply(refusal.reason, { waitMs: refusal.waitMs }), session.isProxy)
}

/** What a backend says to whom it does not want to see. */
const REFUSALS = new Set([401, 403])

/**
 * The walk of a request without a sign-in: it goes to the group of its directory and says nothing of a user. What a backend refuses
 * there may have been a guess, so it counts against the address, as wrong passwords do, and both together close it.
 */
export async function serveStranger(connection: Connection, request: Incoming, placed: Placed): Promise<Outcome> {
  const { session } = connection
  const { group = '', maxBody } = placed.directory
  const closed = await admitStranger(connection, request)
  if (closed !== undefined) return closed
  if (request.body.kind === 'length' && request.body.length > maxBody) return reply(failureReply('too-long'), false)
  const { context } = connection
  session.hops = hopsOf(request.head.fields)
  const route = routeTo(session, { group, source: 'directory' }, context.client.peer.address)
  // Nobody is told the way to another site who has not proved to have a mailbox there.
  if (route.kind !== 'proxy') return reply(failureReply(route.kind === 'refuse' ? route.reason : 'backend-unavailable'))
  const outcome = await proxy(connection, request, { placed, signedIn: undefined, route })
  if (REFUSALS.has(statusOf(outcome))) await session.services.authenticator.strangerRefused(context)
  return outcome
}

function statusOf(outcome: Outcome): number {
  return outcome.kind === 'reply' ? outcome.reply.status : outcome.kind === 'gone' ? 0 : outcome.status
}
