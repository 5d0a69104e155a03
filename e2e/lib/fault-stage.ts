// SPDX-License-Identifier: MIT
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFrontEnd, type FrontEnd } from '@portico/frontend'
import { http } from '@portico/http'
import { imap4 } from '@portico/imap4'
import { pop3 } from '@portico/pop3'
import { smtp } from '@portico/smtp'
import { type CapturedLog, captureLog, privateFolder } from '@portico/testkit'
import { FAULTS, type FakeBackend, PROTOCOLS, type ProtocolName, startFakeBackend } from './fake-backends.js'
import { LineClient } from './line-client.js'

/** A front end in this process, and for each protocol and each fault a backend. The user of a fault is called after it. */
export interface FaultStage extends AsyncDisposable {
  readonly frontEnd: FrontEnd
  readonly log: CapturedLog
  readonly backends: readonly FakeBackend[]
  port(protocol: ProtocolName): number
}

/** All candidates together have this long, milliseconds. */
export const OPEN_BACKEND_MS = 2_000

export async function startFaultStage(): Promise<FaultStage> {
  const folder = privateFolder('flt')
  const usersFile = join(folder, 'users')
  writeFileSync(usersFile, FAULTS.map((fault) => `${fault}:{PLAIN}pw::::::group=${fault}\n`).join(''), { mode: 0o600 })
  const backends: FakeBackend[] = []
  const groups: Record<string, Record<string, unknown>> = {}
  for (const fault of FAULTS) {
    // Connections that stand ready for others would be counted as left open.
    const group: Record<string, unknown> = { identity: 'password', pool: { warm: 0 } }
    for (const protocol of PROTOCOLS) {
      const backend = await startFakeBackend(protocol, fault)
      backends.push(backend)
      group[protocol] = { endpoints: [`${protocol === 'http' ? 'http://' : ''}127.0.0.1:${backend.port}`] }
    }
    groups[fault] = group
  }
  const log = captureLog()
  const frontEnd = await createFrontEnd({
    config: {
      version: 1,
      hostname: 'portico.test.lan',
      listeners: PROTOCOLS.map((protocol) => ({
        protocol,
        name: protocol,
        address: '127.0.0.1:0',
        tls: 'none',
        plaintextPasswords: 'always',
        ...(protocol === 'smtp' ? { connector: 'client' } : {}),
      })),
      credentials: [{ type: 'users-file', path: usersFile }],
      location: [{ type: 'users-file' }],
      backends: groups,
      auth: { delays: ['0s'], failuresPerAddress: 1_000_000, failuresPerUserAndAddress: 1_000_000 },
      http: { directories: [{ mount: '/', responseTimeout: '2s' }] },
      limits: { connect: '1s', backendLogin: '1s', openBackend: '2s' },
    },
    protocols: [imap4, pop3, smtp, http],
    log,
  })
  return {
    frontEnd,
    log,
    backends,
    port: (protocol) => frontEnd.listeners.find((listener) => listener.protocol === protocol)?.port ?? 0,
    async [Symbol.asyncDispose]() {
      await frontEnd.close()
      await Promise.all(backends.map((backend) => backend.close()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const token = (user: string): string => Buffer.from(`\0${user}\0pw`).toString('base64')

/** Signs a user in (HTTP: asks for a page) and returns the client with the decisive answer. */
export async function signIn(
  stage: FaultStage,
  protocol: ProtocolName,
  user: string,
): Promise<{ readonly client: LineClient; readonly answer: string }> {
  const client = await LineClient.connect(stage.port(protocol))
  const answer = await SIGN_INS[protocol](client, user)
  return { client, answer }
}

const SIGN_INS: Readonly<Record<ProtocolName, (client: LineClient, user: string) => Promise<string>>> = {
  async imap4(client, user) {
    await client.until(/\r\n/)
    return client.ask(`a1 LOGIN ${user} pw`, /^a1 .*\r\n/m)
  },
  async pop3(client, user) {
    await client.until(/\r\n/)
    await client.ask(`USER ${user}`, /\r\n/)
    return client.ask('PASS pw', /\r\n/)
  },
  async smtp(client, user) {
    await client.until(/\r\n/)
    await client.ask('EHLO client.test.lan', /^250 .*\r\n/m)
    const auth = await client.ask(`AUTH PLAIN ${token(user)}`, /\r\n/)
    if (!auth.startsWith('235')) return auth
    await client.ask('MAIL FROM:<a@test.lan>', /\r\n/)
    return client.ask('RCPT TO:<b@test.lan>', /\r\n/)
  },
  http(client, user) {
    return client.ask(get(user), /\r\n\r\n/)
  },
}

/** The head of a GET with the user's password. */
export function get(user: string): string {
  return `GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic ${Buffer.from(`${user}:pw`).toString('base64')}\r\n`
}
