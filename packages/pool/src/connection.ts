// SPDX-License-Identifier: MIT
import {
  type Backend,
  BackendError,
  type BackendErrorCode,
  type BackendPhase,
  type Cancellation,
  isLoopback,
} from '@portico/base'
import {
  backendErrorOfLeg,
  backendErrorOfUpgrade,
  backendTlsOptions,
  type Connected,
  connectLeg,
  formatLocalProxyHeader,
  formatProxyHeader,
  type Leg,
} from '@portico/net'
import type { BackendDriver, Borrower } from './backend-pool.js'
import type { BackendPoolOptions } from './options.js'

/** A prepared connection to a backend. */
export interface Connection {
  readonly leg: Leg
  readonly greeting: unknown
  /** By the clock of the pool. */
  readonly openedAt: number
  /** It has served somebody before. */
  served: boolean
  /** It has been lying unlent. */
  rested: boolean
  /** Milliseconds for which it may lie so, by what its last borrower knows of its server. */
  longestRest: number
}

/** Why there is none. */
export interface Dud {
  readonly error: BackendError
}

/**
 * Connects, names the borrower where the backend wants a PROXY header, secures and prepares. Never rejects: whatever happens
 * becomes a dud. The leg of a dud is destroyed.
 */
export async function openConnection(
  backend: Backend,
  driver: BackendDriver,
  options: BackendPoolOptions,
  signal: Cancellation,
  borrower?: Borrower,
): Promise<Connection | Dud> {
  let leg: Leg | undefined
  try {
    const until = options.clock.now() + options.limits.connectMs
    const left = () => Math.max(1, until - options.clock.now())
    const timing = { wheel: options.wheel, timeoutMs: left(), signal }
    const connected = await (options.connect ?? connectLeg)(backend.address, timing)
    if (connected.kind === 'failed') return dud(backend, 'connect', connectCode(connected), connected.cause)
    leg = connected.leg
    const cleartext = forbidden(backend, connected.remoteAddress)
    if (cleartext === undefined) introduce(backend, leg, borrower)
    const refused = cleartext ?? (await secure(backend, leg, left(), signal))
    const prepared = refused ?? (await greet(backend, driver, leg, left(), signal))
    if (!('error' in prepared))
      return {
        leg,
        greeting: prepared.greeting,
        openedAt: options.clock.now(),
        served: false,
        rested: false,
        longestRest: Number.POSITIVE_INFINITY,
      }
    leg.destroy()
    return prepared
  } catch (cause) {
    leg?.destroy()
    return dud(backend, 'greeting', 'other', cause)
  }
}

function dud(backend: Backend, phase: BackendPhase, code: BackendErrorCode, cause?: unknown): Dud {
  return { error: new BackendError({ code, backend: backend.id, phase, ...(cause === undefined ? {} : { cause }) }) }
}

function connectCode({ code }: Extract<Connected, { kind: 'failed' }>): BackendErrorCode {
  return code === 'cancelled' ? code : backendErrorOfLeg(code)
}

/** The rule for unencrypted legs again, now that the name is an address: what a name resolves to may change at any time. */
function forbidden(backend: Backend, remoteAddress: string | undefined): Dud | undefined {
  if (backend.tls.mode !== 'none' || backend.address.kind === 'unix') return undefined
  if (remoteAddress !== undefined) {
    const rule = backend.cleartextPasswords
    if (isLoopback(remoteAddress) || (typeof rule === 'object' && rule.contains(remoteAddress))) return undefined
  }
  return dud(backend, 'connect', 'cleartext-forbidden')
}

/** The PROXY header comes before anything else, TLS included. */
function introduce({ proxyProtocol }: Backend, leg: Leg, borrower: Borrower | undefined): void {
  if (proxyProtocol === undefined) return
  const version = proxyProtocol === 'v1' ? 1 : 2
  if (borrower === undefined) {
    leg.write(formatLocalProxyHeader(version))
    return
  }
  const { peer, local } = borrower.leg.facts
  leg.write(formatProxyHeader(version, peer, local, { tls: borrower.leg.tls, uniqueId: borrower.id }))
}

async function secure(backend: Backend, leg: Leg, timeoutMs: number, signal: Cancellation): Promise<Dud | undefined> {
  if (backend.tls.mode !== 'implicit') return undefined
  if (signal.aborted) return dud(backend, 'tls', 'cancelled')
  signal.onAbort = () => leg.destroy()
  const result = await leg.upgradeClient(backendTlsOptions(backend), timeoutMs)
  signal.onAbort = undefined
  if (result.kind === 'secure') return undefined
  return dud(backend, 'tls', signal.aborted ? 'cancelled' : backendErrorOfUpgrade(result.reason), result.cause)
}

async function greet(
  backend: Backend,
  driver: BackendDriver,
  leg: Leg,
  timeoutMs: number,
  signal: Cancellation,
): Promise<{ readonly greeting: unknown } | Dud> {
  if (signal.aborted) return dud(backend, 'greeting', 'cancelled')
  leg.setDeadline(timeoutMs)
  const prepared = await driver.prepare(leg, backend, signal)
  leg.setDeadline(0)
  if (prepared.kind === 'failed') return { error: prepared.error }
  if (signal.aborted) return dud(backend, 'greeting', 'cancelled')
  if (leg.state !== 'open') return dud(backend, 'greeting', 'closed')
  // A driver that forgot STARTTLS must not cost anybody a password.
  if (backend.tls.mode !== 'none' && leg.tls === undefined) return dud(backend, 'tls', 'tls')
  return { greeting: prepared.greeting }
}
