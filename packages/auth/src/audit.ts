// SPDX-License-Identifier: MIT
import { type AuthFailureReason, actsForAnother, type Principal } from '@portico/base'
import type { Log } from '@portico/telemetry'
import type { ClientFacts } from './credential-source.js'

/** One log line for each sign-in decision: who, how, from where, why. Never a secret. */
export interface Audit {
  /** `again`: the connection has had its line. `trace` is what an anonymous client says of itself. */
  accepted(principal: Principal, client: ClientFacts, again?: boolean, trace?: string): void
  refused(facts: {
    /** Absent where nothing was read that could be a name. */
    readonly user?: string
    readonly mechanism: string
    readonly client: ClientFacts
    readonly reason: AuthFailureReason
    readonly waitMs: number
    readonly source?: string | undefined
    /** The access rule that refused. */
    readonly rule?: string | undefined
    readonly cause?: unknown
  }): void
}

export function createAudit(log: Log): Audit {
  return {
    accepted(principal, client, again = false, trace = undefined) {
      const { user, authcid, mechanism, source } = principal
      const actingFor = actsForAnother(principal) ? { authcid } : {}
      const said = trace === undefined ? {} : { trace }
      const facts = { ...whereFrom(client), user, ...actingFor, mechanism, source, ...said }
      log[again ? 'debug' : 'info']('signed in', facts)
    },
    refused({ client, ...facts }) {
      log.warn('sign-in refused', { ...whereFrom(client), ...facts })
    },
  }
}

function whereFrom(client: ClientFacts): Readonly<Record<string, unknown>> {
  return {
    session: client.sessionId,
    protocol: client.protocol,
    client: client.peer.address,
    clientPort: client.peer.port,
    encrypted: client.encrypted,
  }
}
