// SPDX-License-Identifier: MIT
import { type AddressInfo, createServer } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { privateFolder, testCertificates } from '@portico/testkit'
import { type ClientRun, run, succeed } from './clients.js'

/** What sipp may need for all of its calls, the retransmissions of a busy machine included. */
const PATIENCE_MS = 120_000

export interface Calls {
  /** Of the server that is asked first. */
  readonly port: number
  readonly transport: 'udp' | 'tcp'
  /** The mailbox that is called. */
  readonly user: string
  readonly calls: number
  /** Calls in a second. */
  readonly rate: number
  /** `redirected` asks alone, all from one socket; `redirected-call` goes where it is sent, each call from a socket of its own. */
  readonly scenario: 'redirected' | 'redirected-call'
}

const scenarioFile = (name: string): string => fileURLToPath(new URL(`../sip/${name}.xml`, import.meta.url))

/** A gateway that makes calls as its scenario says. Rejects, with what sipp said, unless each went as written. */
export async function makeCalls({ port, transport, user, calls, rate, scenario }: Calls): Promise<void> {
  const many = ['-m', String(calls), '-r', String(rate), '-max_socket', '500']
  const sockets = `${transport[0]}${scenario === 'redirected' ? '1' : 'n'}`
  const args = ['-sf', scenarioFile(scenario), '-s', user, '-t', sockets, '-i', '127.0.0.1', '-nostdin']
  const cwd = privateFolder('sipp')
  await succeed('sipp', [`127.0.0.1:${port}`, ...args, ...many], { cwd, patience: PATIENCE_MS })
}

/** A voice server, which ends when it has had so many calls. Resolves then; rejects when one went wrong. */
export async function answerCalls(port: number, transport: 'udp' | 'tcp', calls: number): Promise<void> {
  const args = ['-sf', scenarioFile('voice-server'), '-t', `${transport[0]}1`, '-i', '127.0.0.1']
  const cwd = privateFolder('sipp')
  const until = ['-p', String(port), '-nostdin', '-m', String(calls)]
  await succeed('sipp', [...args, ...until], { cwd, patience: PATIENCE_MS })
}

/** sipsak, which asks a server in ways of its own. */
export function sipsak(...args: readonly string[]): Promise<ClientRun> {
  return run('sipsak', args, { patience: PATIENCE_MS })
}

/** A port without TLS that leads to one with it: Debian's sipp has none of its own. */
export async function tlsBridge(port: number): Promise<AsyncDisposable & { readonly port: number }> {
  const { ca } = testCertificates()
  const server = createServer((plain) => {
    const secure = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: ca.certificate })
    for (const side of [plain, secure]) side.on('error', () => undefined)
    plain.pipe(secure).pipe(plain)
    plain.on('close', () => secure.destroy())
    secure.on('close', () => plain.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
