// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import { type Backend, NEVER, Secret, systemClock } from '@portico/base'
import { createTimerWheel } from '@portico/net'
import { type BackendDriver, type BackendPool, createBackendPool, type Lease, type LoanRequest } from '@portico/pool'
import { silentLog } from '@portico/telemetry'
import type { ClientFacts } from '../../src/backend/client-facts.js'
import { smtpDrivers } from '../../src/backend/driver.js'
import { loginAtBackend } from '../../src/backend/login.js'
import type { Answer, BackendSession } from '../../src/backend/session.js'
import { type SmtpSettings, smtpSchema } from '../../src/schema.js'

export const wheel = createTimerWheel(systemClock)
export const PATIENCE = 10_000

/** A pool as a front end has it, of at most `max` connections. */
export function poolOf(
  settings: SmtpSettings,
  { max = 10, change = (driver) => driver }: { max?: number; change?: (driver: BackendDriver) => BackendDriver } = {},
): BackendPool {
  const limits = { connectMs: 5_000, maxPerBackend: max, acquireMs: 10_000, breakerFailures: 1_000_000 }
  const pool = createBackendPool({ clock: systemClock, wheel, log: silentLog, limits })
  for (const driver of smtpDrivers(settings)) pool.register(change(driver as BackendDriver))
  return pool
}

export function settingsOf(given: object = {}): SmtpSettings {
  return smtpSchema.parse({ helo: 'portico.test.lan', ...given })
}

export async function borrow(pool: BackendPool, backend: Backend, request?: LoanRequest): Promise<Lease> {
  const acquired = await pool.acquire(backend, NEVER, request)
  if (acquired.kind === 'failed') throw acquired.error
  return acquired.lease
}

/** A client by its number: each has its address, and its name if it has signed in. */
export interface Person {
  readonly number: number
  readonly signedIn: boolean
}

export const addressOf = ({ number }: Person) => `10.0.${number >> 8}.${number & 255}`
export const nameOf = ({ number, signedIn }: Person) => (signedIn ? `user${number}` : '')

function factsOf(person: Person): ClientFacts {
  return {
    peer: { address: addressOf(person), port: 40_000, family: 4 },
    local: { address: '192.0.2.25', port: 25, family: 4 },
    helo: `pc${person.number}.test.lan`,
    protocol: 'ESMTP',
    sessionId: `s${person.number}`,
    remainingHops: 4,
  }
}

/** Logs a person in on a borrowed connection, as the walk does it. */
export async function logIn(lease: Lease, person: Person): Promise<BackendSession | undefined> {
  const user = nameOf(person)
  const principal = { user, authcid: user, proof: { password: new Secret('pw') } }
  const authenticated = person.signedIn ? ({ principal, deferred: false } as unknown as Authenticated) : undefined
  const location = { group: 'toys', source: 'test' }
  lease.leg.setDeadline(PATIENCE)
  const login = await loginAtBackend(lease, { location, authenticated, client: factsOf(person) }, NEVER)
  lease.leg.setDeadline(0)
  if (login.kind === 'open') return login.welcome
  lease.discard()
  return undefined
}

export const codeOf = (answer: Answer | undefined) => (answer?.kind === 'reply' ? answer.reply.code : answer?.code)

/** Sends one message as far as the backend lets it; true when it was taken. */
export async function sendMessage(
  session: BackendSession,
  text: string,
  recipients = ['a@test.lan'],
): Promise<boolean> {
  const [first = '', ...more] = recipients.map((recipient) => `RCPT TO:<${recipient}>`)
  const { rcpt } = await session.begin('MAIL FROM:<x@test.lan>', first, PATIENCE, NEVER)
  if (codeOf(rcpt) !== 250) return false
  for (const line of more) await session.command(line, PATIENCE, NEVER)
  if (codeOf(await session.command('DATA', PATIENCE, NEVER)) !== 354) return false
  session.leg.writeText(`${text}\r\n.\r\n`)
  const verdicts = await session.verdicts(PATIENCE, NEVER)
  return verdicts.every((verdict) => codeOf(verdict) === 250)
}
