// SPDX-License-Identifier: MIT
import { inspect } from 'node:util'
import type { AuthContext, ClientFacts, CredentialRequest } from '@portico/auth'
import { Secret } from '@portico/base'
import type { Log } from '@portico/telemetry'

/** Keeps its lines as text, printed as deep as a log might. */
export function recordingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = []
  const write = (message: string, facts?: unknown) => {
    lines.push(`${message} ${inspect(facts, { depth: 20 })} ${JSON.stringify(facts)}`)
  }
  const log = { lines, debug: write, info: write, warn: write, error: write, child: () => log }
  return log
}

export function clientAt(address = '192.0.2.7', more: Partial<ClientFacts> = {}): ClientFacts {
  return {
    protocol: 'imap4',
    sessionId: 's1',
    peer: { address, port: 40_000, family: address.includes(':') ? 6 : 4 },
    local: { address: '192.0.2.1', port: 993, family: 4 },
    networks: [],
    encrypted: true,
    ...more,
  }
}

export function contextAt(address?: string, more: Partial<AuthContext> = {}): AuthContext {
  const client = clientAt(address)
  return {
    client,
    channel: { encrypted: client.encrypted, channelBinding: () => undefined },
    localName: 'mail.example.com',
    plaintextPasswords: 'never',
    failures: 0,
    ...more,
  }
}

export function requestOf(authcid: string, password: string, more: Partial<CredentialRequest> = {}): CredentialRequest {
  return { authcid, password: new Secret(password), mechanism: 'PLAIN', client: clientAt(), attempt: 1, ...more }
}
