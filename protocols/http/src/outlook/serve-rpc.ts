// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import type { Connection } from '../client/connection.js'
import type { Incoming } from '../client/incoming.js'
import type { Placed } from '../directory/directories.js'
import { type Outcome, reply } from '../outcome.js'
import { type Reply, statusReply } from '../replies.js'
import { logRefused } from '../request-log.js'
import { type Channel, readRpcRequest } from './rpc-request.js'

/**
 * What becomes of a request to an RPC proxy once its user is known: a channel goes on to the backend, an echo is answered here.
 * `undefined` for what is nothing special: a request to another directory, and an echo of somebody whose password the backend has yet
 * to judge, for our answer would say that it is good.
 */
export function serveRpc(
  { session, prepared }: Connection,
  request: Incoming,
  { directory, rest }: Placed,
  { principal, deferred }: Authenticated,
): Channel | Extract<Outcome, { kind: 'reply' }> | undefined {
  if (directory.preset !== 'rpc') return undefined
  const asked = readRpcRequest(request, rest, prepared.settings.outlookAnywhere.ports)
  switch (asked.kind) {
    case 'refused':
      logRefused(session, asked.status, asked.why)
      return reply(statusReply(asked.status, asked.status === 405 ? 'Allow: RPC_IN_DATA, RPC_OUT_DATA\r\n' : ''))
    case 'echo':
      return deferred ? undefined : reply(ECHO)
    case 'channel': {
      const { direction, port } = asked
      session.services.log.info('rpc channel', { session: session.id, user: principal.user, direction, port })
      return asked
    }
  }
}

/** An RTS packet without commands that has the flag RTS_FLAG_ECHO ([MS-RPCH] section 2.2.4.48): all its octets are ASCII. */
const ECHO_PACKET = '\x05\x00\x14\x03\x10\x00\x00\x00\x14\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00'

/** The answer to an echo request ([MS-RPCH] section 2.1.2.1.6). */
const ECHO: Reply = { status: 200, phrase: 'Success', fields: '', body: ECHO_PACKET, contentType: 'application/rpc' }

/** RPC over HTTP takes a connection for itself: a client that asks by HTTP/2 is sent to HTTP/1.1 (RFC 9113 section 7). */
export const NEEDS_HTTP1: Outcome = { ...reply(statusReply(505)), needsOwnLeg: true }
