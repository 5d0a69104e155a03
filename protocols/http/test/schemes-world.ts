// SPDX-License-Identifier: MIT
import {
  type Authenticator,
  type CredentialSource,
  createAuthenticator,
  type HandshakeStep,
  type Throttle,
} from '@portico/auth'
import { type Clock, type Principal, systemClock } from '@portico/base'
import { type Log, silentLog } from '@portico/telemetry'

/** Accounts that prove themselves by more than passwords, and what became of them. */
export interface Accounts {
  /** User by token. */
  readonly tokens?: Readonly<Record<string, string>>
  readonly expired?: ReadonlySet<string>
  /** Tokens that are good, but not for this. */
  readonly narrow?: ReadonlySet<string>
  readonly disabled: Set<string>
  /** What the source was asked, in its order. */
  readonly asked: string[]
  /** Handshakes that are open. */
  open: number
}

export function accounts(more: Partial<Accounts> = {}): Accounts {
  return { disabled: new Set(), asked: [], open: 0, ...more }
}

export function principalOf(user: string, mechanism: string): Principal {
  return { authcid: user, user, mechanism, strength: 'proof', proof: {}, source: 'site', epoch: '1', fields: new Map() }
}

const WRONG = { kind: 'rejected', reason: 'invalid-credentials' } as const

/** The one message that a client begins with, and the one that answers the challenge for a user. */
export const TYPE_1 = Buffer.concat([Buffer.from('NTLMSSP\0'), Buffer.from([1, 0, 0, 0])])
export const CHALLENGE = Buffer.concat([Buffer.from('NTLMSSP\0'), Buffer.from([2, 0, 0, 0])])
export const type3 = (user: string, password = 'secret'): Buffer =>
  Buffer.concat([Buffer.from('NTLMSSP\0'), Buffer.from([3, 0, 0, 0]), Buffer.from(`${user}:${password}`)])
/** A ticket that is judged at once, with a last word for the client. */
export const ticketOf = (user: string): Buffer => Buffer.concat([Buffer.from([0x60, 0x03, 0x06]), Buffer.from(user)])

function stepOf(token: Buffer, accounts: Accounts, scheme: string): HandshakeStep {
  accounts.asked.push(`${scheme} ${token[0] === 0x60 ? 'ticket' : token[8]}`)
  if (token[0] === 0x60) {
    const principal = principalOf(token.subarray(3).toString(), scheme)
    return { kind: 'complete', judge: async () => ({ kind: 'accepted', principal, last: Buffer.from('mutual') }) }
  }
  if (token[8] === 1) return { kind: 'challenge', data: CHALLENGE }
  if (token[8] !== 3) return { kind: 'malformed' }
  const [user = '', password] = token.subarray(12).toString().split(':')
  const verdict = password === 'secret' ? ({ kind: 'accepted', principal: principalOf(user, scheme) } as const) : WRONG
  return { kind: 'complete', claimed: user, judge: async () => verdict }
}

function sourceOf(accounts: Accounts): CredentialSource {
  return {
    name: 'site',
    serves: new Set(['verify-plain', 'verify-token']),
    accepts: new Set(['NTLM', 'NEGOTIATE'] as const),
    async verify({ authcid, mechanism, password }) {
      accounts.asked.push(mechanism)
      if (password.expose() !== 'secret') return WRONG
      return { kind: 'accepted', principal: { ...principalOf(authcid, mechanism), proof: { password } } }
    },
    async verifyToken({ token }) {
      accounts.asked.push('BEARER')
      const shown = token.expose()
      if (accounts.expired?.has(shown) === true) return { kind: 'rejected', reason: 'password-expired' }
      if (accounts.narrow?.has(shown) === true) return { kind: 'rejected', reason: 'unauthorized-identity' }
      const user = accounts.tokens?.[shown]
      return user === undefined ? WRONG : { kind: 'accepted', principal: principalOf(user, 'BEARER') }
    },
    async account({ authcid, mechanism }) {
      accounts.asked.push(`account of ${authcid}`)
      return accounts.disabled.has(authcid)
        ? { kind: 'rejected', reason: 'account-disabled' }
        : { kind: 'accepted', principal: principalOf(authcid, mechanism) }
    },
    accept(scheme) {
      accounts.open += 1
      return {
        step: async (token) => stepOf(Buffer.from(token), accounts, scheme),
        async [Symbol.asyncDispose]() {
          accounts.open -= 1
        },
      }
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** Guessing is slowed in the auth core's own tests. */
const UNTHROTTLED: Throttle = {
  admit: async () => ({ kind: 'admitted', failures: 0, done() {} }),
  failed: async () => 0,
  async abandoned() {},
  waitOf: async () => undefined,
  shareOf: () => '',
  async succeeded() {},
}

/** The real auth core around them, but for its throttle. */
export function authenticatorFor(accounts: Accounts, clock?: Clock, log?: Log): Authenticator {
  return authenticatorOver(sourceOf(accounts), clock, log)
}

/** The same around another source. */
export function authenticatorOver(
  source: CredentialSource,
  clock: Clock = systemClock,
  log: Log = silentLog,
): Authenticator {
  return createAuthenticator({ sources: [source], mechanisms: [], throttle: UNTHROTTLED, clock, log })
}
