// SPDX-License-Identifier: MIT
import { FakeLeg } from '../fake-leg.mjs'

const TIMER = { cancel() {}, touch() {} }

/** A session that is nothing but a leg, for the client's side of a dialogue. */
export async function sessionOf(load, pieces) {
  const { CancellationSource } = await load('packages/base', 'cancellation')
  const leg = new FakeLeg(pieces)
  const services = { limits: { preAuth: 60_000, linger: 2_000 }, wheel: { add: () => TIMER, addIdle: () => TIMER } }
  return { leg, session: { leg, services, signal: new CancellationSource(), draining: false, onDrain: undefined } }
}

/** A backend that is only spoken of. */
export const BACKEND = {
  id: 'mbx1',
  address: { kind: 'tcp', host: '192.0.2.2', port: 143 },
  tls: { mode: 'none', verify: true },
  identity: { kind: 'password' },
}

/** Lines of a dialogue, each read with the same limit, until there are no more. */
export async function linesOf(dialogue, limit, most, use) {
  const seen = []
  while (seen.length < most) {
    const line = await dialogue.readLine(limit)
    if (line.kind === 'gone') break
    seen.push(line.kind === 'line' ? use(line.text) : line.kind)
  }
  return seen
}
