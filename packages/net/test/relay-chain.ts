// SPDX-License-Identifier: MIT
import type { LegPair } from '@portico/testkit'
import { type Leg, type Relay, type RelayLimits, relay, type TimerWheel } from '../src/index.js'
import { Recorder } from './support.js'

export const LIMITS: RelayLimits = { idleMs: 10_000, halfClosedMs: 10_000, lingerMs: 1_000 }

/** A client and a backend with a relay between them. */
export interface Chain extends AsyncDisposable {
  readonly client: Leg
  readonly backend: Leg
  readonly frontClient: LegPair
  readonly frontBackend: LegPair
  join(limits?: RelayLimits): Relay
}

/** `wheel` drives the relay. */
export async function chainOver(makePair: () => Promise<LegPair>, wheel: TimerWheel): Promise<Chain> {
  const frontClient = await makePair()
  const frontBackend = await makePair()
  return {
    client: frontClient.client,
    backend: frontBackend.server,
    frontClient,
    frontBackend,
    join: (limits = LIMITS) => relay(frontClient.server, frontBackend.client, limits, wheel),
    async [Symbol.asyncDispose]() {
      await frontClient[Symbol.asyncDispose]()
      await frontBackend[Symbol.asyncDispose]()
    },
  }
}

export function reading(leg: Leg): Recorder {
  const recorder = new Recorder()
  leg.setReader(recorder)
  leg.resume()
  return recorder
}
