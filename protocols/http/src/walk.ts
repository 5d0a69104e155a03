// SPDX-License-Identifier: MIT
import type { DeviceRequest } from './activesync/query.js'
import { deviceRequestOf, isForDevices, serveDevice } from './activesync/serve-device.js'
import { inActiveSync } from './activesync/words.js'
import { isAnswering } from './autodiscover/answering.js'
import { rootPlace } from './autodiscover/find-answer.js'
import { serveAnswer } from './autodiscover/serve-answer.js'
import type { Destined } from './backend/conclude.js'
import { hopsOf } from './backend/headers.js'
import { proxy } from './backend/proxy.js'
import type { Connection } from './client/connection.js'
import type { Incoming } from './client/incoming.js'
import { healthAskedBy, type Placed, placeOf, wellKnownPlace } from './directory/directories.js'
import type { Directory } from './directory/schema.js'
import { atDoor, isAtDoor } from './door/door.js'
import { askingClient } from './elsewhere/asking-client.js'
import { sendElsewhere } from './elsewhere/elsewhere.js'
import { type Outcome, reply } from './outcome.js'
import { inMapi, isForMapi } from './outlook/mapi-words.js'
import { isRpcMethod } from './outlook/rpc-request.js'
import { NEEDS_HTTP1, serveRpc } from './outlook/serve-rpc.js'
import { failureReply, healthReply, redirectReply, statusReply } from './replies.js'
import { anchorOf } from './routing/anchors.js'
import { routeFor } from './routing/route-for.js'
import { isForStrangers, serveStranger } from './serve-stranger.js'
import { type Identified, signIn } from './sign-in/sign-in.js'

type Replied = Extract<Outcome, { kind: 'reply' }>

/** The walk of one request: place, health, encryption, sign-in, route, backend, answer. */
export async function walk(connection: Connection, request: Incoming): Promise<Outcome> {
  const { prepared, session } = connection
  const asked = healthAskedBy(prepared.table, request.path)
  if (asked !== undefined) return health(connection, request, asked)
  if (!connection.active) return reply(failureReply('draining'), false)
  if (isAtDoor(session, prepared.settings)) return atDoor(connection, request)
  if (request.path === '*') return reply(statusReply(200))
  if (isRpcMethod(request.head.method) && connection.client.ownLeg === undefined) return NEEDS_HTTP1
  const elsewhere = wellKnownPlace(prepared.table, request.path)
  if (elsewhere !== undefined) return reply(redirectReply(307, elsewhere + request.query))
  const placed = rootPlace(prepared.table, request.path) ?? placeOf(prepared.table, request.path)
  if (placed.kind === 'doubtful') return reply(statusReply(400), false)
  if (placed.kind === 'none') return reply(statusReply(404))
  if (!connection.serves(placed.directory.component)) return reply(failureReply('draining'), false)
  const outcome = await walkWithin(connection, request, placed)
  return inTheirWords(connection, request, placed.directory, outcome)
}

/** The rest of the walk, in a directory: encryption, sign-in, route, backend. */
async function walkWithin(connection: Connection, request: Incoming, placed: Placed): Promise<Outcome> {
  if (isAnswering(placed.directory)) return serveAnswer(connection, request, placed)
  if (isForStrangers(placed)) return serveStranger(connection, request, placed)
  const signedIn = await signIn(connection, request, placed)
  if (signedIn.kind !== 'authenticated') return signedIn
  const destined = await destine(connection, request, placed, signedIn)
  if (destined.kind !== 'destined') {
    await signedIn.settle('unknown')
    return destined
  }
  const { device } = destined
  if (device === undefined) return proxy(connection, request, destined)
  return serveDevice(connection, signedIn, device, (cancelled) =>
    proxy(connection, request, { ...destined, cancelled }),
  )
}

type DestinedAs = Destined & { readonly kind: 'destined'; readonly device: DeviceRequest | undefined }

/** Where the request of somebody goes, if it goes anywhere. */
async function destine(
  connection: Connection,
  request: Incoming,
  placed: Placed,
  signedIn: Identified,
): Promise<DestinedAs | Outcome> {
  const { session } = connection
  const { directory, rest } = placed
  const tooLong = request.body.kind === 'length' && request.body.length > directory.maxBody
  if (tooLong) return reply(failureReply('too-long'), false)
  const channel = serveRpc(connection, request, placed, signedIn)
  if (channel?.kind === 'reply') return channel
  const device = deviceRequestOf(directory, request)
  if (device === 'malformed') return reply(statusReply(400))
  const { fields } = request.head
  session.hops = hopsOf(fields)
  const anchor = anchorOf(directory.anchors, { rest, query: request.query, fields, user: device?.user })
  const route = await routeFor(session, signedIn, directory, anchor, askingClient(session, directory, request))
  if (route.kind === 'refuse') return reply(failureReply(route.reason))
  if (route.kind === 'redirect') return sendElsewhere(connection, request, placed, { route, signedIn })
  return { kind: 'destined', placed, signedIn, route, device, channel }
}

/** Our own failures as the clients of the directory know them. */
function inTheirWords(connection: Connection, request: Incoming, directory: Directory, outcome: Outcome): Outcome {
  if (outcome.kind !== 'reply') return outcome
  if (isForDevices(directory)) return toDevice(connection, request, outcome)
  return isForMapi(directory) ? { ...outcome, reply: inMapi(outcome.reply) } : outcome
}

/** An expired token is no expired password. */
function toDevice({ prepared }: Connection, { authorization }: Incoming, outcome: Replied): Replied {
  const isBasic = authorization !== undefined && /^basic /i.test(authorization)
  const passwordUrl = isBasic ? prepared.settings.activeSync.passwordUrl : undefined
  return { ...outcome, reply: inActiveSync(outcome.reply, { passwordUrl }) }
}

function health(connection: Connection, { head }: Incoming, asked: Directory | 'everything'): Outcome {
  if (head.method !== 'GET' && head.method !== 'HEAD') return reply(statusReply(405, 'Allow: GET, HEAD\r\n'))
  const { active } = connection
  const healthy = active && (asked === 'everything' || connection.serves(asked.component))
  return reply(healthReply(healthy, connection.session.services.hostname), active)
}
