// SPDX-License-Identifier: MIT
import { randomUUID } from 'node:crypto'
import { type AuthFailureReason, type Cancellation, Secret } from '@portico/base'
import type { Handshake, HandshakeStep, HandshakeVerdict } from './acceptor.js'
import type { HandshakeScheme } from './access.js'
import type { AuthContext, AuthFailed, AuthOutcome, HandshakeAttempt } from './authenticator.js'
import { concludeAdmitted, type DecisionParts, refuse } from './decision.js'
import { accountOf } from './identity.js'

/** NTLM takes two steps, SPNEGO with its negotiation of mechanisms one or two more. */
const MOST_STEPS = 6

/** Begins a handshake whose verdict goes through throttle, identity and audit as any other proof. */
export type OpenHandshake = (scheme: HandshakeScheme, context: AuthContext, signal: Cancellation) => HandshakeAttempt

type Complete = Extract<HandshakeStep, { kind: 'complete' }>

export function createHandshakes(parts: DecisionParts): OpenHandshake {
  return (scheme, context, signal) => {
    const source = parts.sources.find(({ accepts }) => accepts?.has(scheme) === true)
    const { client, channel, localName } = context
    const handshake = source?.accept?.(scheme, { client, channel, localName })
    if (source === undefined || handshake === undefined) return failingHandshake('mechanism-unavailable')
    let steps = 0
    return {
      async step(token) {
        steps += 1
        if (token.length === 0 || steps > MOST_STEPS) return told(failed('malformed'))
        const step = await stepSafely(handshake, token, signal)
        if (signal.aborted) return told(failed('aborted'))
        if (step.kind === 'challenge') return step
        if (step.kind === 'malformed') return told(failed('malformed'))
        if (step.kind === 'complete') return judged(parts, { scheme, context, signal, source: source.name }, step)
        const claim = { mechanism: scheme, authcid: unnamed(context), authzid: undefined }
        const { cause } = step
        return told(
          refuse(parts, claim, context, { reason: 'lookup-unavailable', waitMs: 0, source: source.name, cause }),
        )
      },
      [Symbol.asyncDispose]: async () => handshake[Symbol.asyncDispose](),
    }
  }
}

/** An attempt whose first step fails. */
export function failingHandshake(reason: AuthFailureReason): HandshakeAttempt {
  return { step: async () => told(failed(reason)), async [Symbol.asyncDispose]() {} }
}

interface Running {
  readonly scheme: HandshakeScheme
  readonly context: AuthContext
  readonly signal: Cancellation
  readonly source: string
}

async function judged(
  parts: DecisionParts,
  running: Running,
  { claimed, judge }: Complete,
): ReturnType<HandshakeAttempt['step']> {
  const { scheme, context, signal, source } = running
  const meant =
    claimed === undefined ? { authcid: unnamed(context), authzid: undefined } : parts.naming(claimed, undefined)
  const claim = { mechanism: scheme, ...meant }
  const suspect = { client: context.client, user: accountOf(parts.sources, claim.authcid) }
  // Each proof answers a challenge of its own: one cannot be known again.
  const attempt = { claim, context, suspect, password: new Secret(randomUUID()), signal }
  let last: Uint8Array | undefined
  const outcome = await concludeAdmitted(parts, attempt, async () => {
    const verdict = await judgeSafely(judge, signal)
    last = verdict.last
    return { ...verdict, source }
  })
  return told(outcome, last)
}

/** Whoever names nobody counts for the address, and for the connection alone. */
function unnamed({ client }: AuthContext): string {
  return `client of ${client.sessionId}`
}

async function stepSafely(handshake: Handshake, token: Uint8Array, signal: Cancellation): Promise<HandshakeStep> {
  try {
    return await handshake.step(token, signal)
  } catch (cause) {
    return { kind: 'unavailable', cause }
  }
}

async function judgeSafely(judge: Complete['judge'], signal: Cancellation): Promise<HandshakeVerdict> {
  try {
    return await judge(signal)
  } catch (cause) {
    return { kind: 'unavailable', cause }
  }
}

function told(outcome: AuthOutcome, last?: Uint8Array): Awaited<ReturnType<HandshakeAttempt['step']>> {
  return { kind: 'outcome', outcome, ...(last === undefined ? {} : { last }) }
}

function failed(reason: AuthFailureReason): AuthFailed {
  return { kind: 'failed', reason, waitMs: 0 }
}
