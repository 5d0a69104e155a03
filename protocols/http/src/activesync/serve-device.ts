// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import { type Cancellation, CancellationSource } from '@portico/base'
import type { Services } from '@portico/session'
import type { Connection } from '../client/connection.js'
import type { Incoming } from '../client/incoming.js'
import type { Directory } from '../directory/schema.js'
import { type Outcome, reply } from '../outcome.js'
import { DeviceGate } from './device-gate.js'
import { type DeviceRequest, readDeviceRequest } from './query.js'
import { throttledReply } from './words.js'

/** Whether a directory's clients speak ActiveSync, and are answered in its words. */
export function isForDevices({ preset }: Directory): boolean {
  return preset === 'activesync'
}

/**
 * The command that a device sends: a POST, whose query has to be readable. `undefined` for everything else, such as the OPTIONS by
 * which a device asks for versions and commands ([MS-ASHTTP] section 2.2.3).
 */
export function deviceRequestOf(directory: Directory, request: Incoming): DeviceRequest | 'malformed' | undefined {
  if (!isForDevices(directory) || request.head.method !== 'POST') return undefined
  return readDeviceRequest(request.query) ?? 'malformed'
}

const gates = new WeakMap<Services, DeviceGate>()

/** The gate of a configuration: requests that came under an earlier one count there. */
function gateOf(services: Services): DeviceGate {
  const gate = gates.get(services) ?? new DeviceGate(services)
  gates.set(services, gate)
  return gate
}

/** Serves a device within its limits. The request is to be broken off when it is cancelled: a newer one needs its place. */
export async function serveDevice(
  connection: Connection,
  signedIn: Authenticated,
  request: DeviceRequest,
  serve: (cancelled: Cancellation) => Promise<Outcome>,
): Promise<Outcome> {
  const { session, prepared } = connection
  const { principal, deferred } = signedIn
  const { log } = session.services
  const facts = { session: session.id, user: principal.user, device: request.deviceId, command: request.command }
  tellOnce(connection, principal.user, request)
  const cancelled = new CancellationSource()
  const end = (): void => {
    log.debug('device request ended for a newer one', facts)
    cancelled.abort('superseded')
  }
  const unprovedFrom = deferred ? session.leg.facts.peer.address : undefined
  const device = { user: principal.user, id: request.deviceId ?? '', unprovedFrom }
  const visit = { command: request.command, end }
  const entered = await gateOf(session.services).enter(device, visit, prepared.settings.activeSync)
  if (entered.kind === 'refused') {
    log.info('device throttled', { ...facts, why: entered.why })
    await signedIn.settle('unknown')
    return reply(throttledReply(entered.why, entered.waitMs))
  }
  try {
    return await serve(cancelled)
  } finally {
    entered.leave()
  }
}

/** One line for each device of a connection. */
function tellOnce(connection: Connection, user: string, request: DeviceRequest): void {
  const { session, shared } = connection
  const { deviceId, deviceType, protocolVersion, command } = request
  const device = `${user}\0${deviceId}\0${deviceType}`
  if (shared.device !== device) {
    shared.device = device
    session.services.log.info('device', {
      session: session.id,
      user,
      device: deviceId,
      type: deviceType,
      version: protocolVersion,
    })
  }
  session.services.log.debug('device request', { session: session.id, device: deviceId, command })
}
