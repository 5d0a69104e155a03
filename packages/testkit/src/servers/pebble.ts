// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testCertificates } from '../certificates.js'
import { freePorts } from './free-ports.js'
import { launch, privateFolder, type RunningServer } from './process.js'
import { programPath } from './require-server.js'

/** What a scenario with {@link startPebble} has to find on the machine. */
export const PEBBLE_PROGRAMS = ['pebble', 'pebble-challtestsrv'] as const

/** A certificate authority that speaks ACME (RFC 8555). */
export interface Pebble extends RunningServer {
  /** Its directory, over TLS with the certificate of `testCertificates().server`. */
  readonly directoryUrl: string
  /** Where the certificate of its root lies, as PEM. */
  readonly rootUrl: string
}

/** Starts a Pebble for which every name is at 127.0.0.1 and port 80 is `httpPort`. */
export async function startPebble({ httpPort }: { readonly httpPort: number }): Promise<Pebble> {
  const folder = privateFolder('peb')
  const [port = 0, management = 0, dns = 0] = await freePorts(3)
  const { server: own } = testCertificates()
  const file = join(folder, 'pebble.json')
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: own.certificateFile,
    privateKey: own.keyFile,
    httpPort,
    tlsPort: 0,
  }
  writeFileSync(file, JSON.stringify({ pebble }))
  const names = await startNames(dns)
  const server = await launch({
    command: programPath('pebble'),
    args: ['-strict', '-config', file, '-dnsserver', `127.0.0.1:${dns}`],
    folder,
    logFile: join(folder, 'pebble.log'),
    ports: [port, management],
    // It would wait a while before it looks at a challenge.
    // It would reject one nonce in twenty, and two in a row are more than certbot bears.
    env: { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0' },
  }).catch(async (error: unknown) => {
    await names.stop()
    throw error
  })
  const stop = async (): Promise<void> => {
    await Promise.all([server.stop(), names.stop()])
  }
  return {
    ...server,
    stop,
    [Symbol.asyncDispose]: stop,
    directoryUrl: `https://localhost:${port}/dir`,
    rootUrl: `https://localhost:${management}/roots/0`,
  }
}

/** A DNS server that gives every name the same address. */
function startNames(port: number): Promise<RunningServer> {
  const folder = privateFolder('dns')
  const off = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-management', '127.0.0.1:0']
  return launch({
    command: programPath('pebble-challtestsrv'),
    args: ['-dns01', `127.0.0.1:${port}`, '-defaultIPv4', '127.0.0.1', '-defaultIPv6', '', ...off],
    folder,
    logFile: join(folder, 'names.log'),
    ports: [port],
  })
}
