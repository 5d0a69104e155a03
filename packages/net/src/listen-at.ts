// SPDX-License-Identifier: MIT
import { lstat, unlink } from 'node:fs/promises'
import { connect, type ListenOptions, Server } from 'node:net'
import type { Address } from '@portico/base'
import { codeOf } from './leg-errors.js'

/** Makes `server` listen. Resolves to the path of a Unix socket, else undefined; rejects with Node's error. */
export async function bind(server: Server, at: Address | Server): Promise<string | undefined> {
  if (at instanceof Server) {
    await started(server, (done) => server.listen(at, done))
    const bound = server.address()
    return typeof bound === 'string' ? bound : undefined
  }
  if (at.kind === 'unix') {
    await bindPath(server, at.path)
    return at.path
  }
  await bindTcp(server, at.host, at.port)
  return undefined
}

async function bindTcp(server: Server, host: string, port: number): Promise<void> {
  try {
    await listenAt(server, { host, port })
  } catch (error) {
    // A host without IPv6 has no dual-stack socket; the IPv4 one serves everybody it can have.
    const noIpv6 = error instanceof Error && ['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(codeOf(error))
    if (host !== '::' || !noIpv6) throw error
    await listenAt(server, { host: '0.0.0.0', port })
  }
}

async function bindPath(server: Server, path: string): Promise<void> {
  try {
    await listenAt(server, { path })
  } catch (error) {
    const taken = error instanceof Error && codeOf(error) === 'EADDRINUSE'
    if (!taken || !(await lstat(path)).isSocket() || (await answers(path))) throw error
    await unlinkPath(path)
    await listenAt(server, { path })
  }
}

function listenAt(server: Server, options: ListenOptions): Promise<void> {
  return started(server, (done) => server.listen(options, done))
}

function started(server: Server, start: (done: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    start(() => {
      server.removeListener('error', reject)
      resolve()
    })
  })
}

/** Whether somebody serves the socket file; a file that a crashed process left behind refuses. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', (error) => resolve(codeOf(error) !== 'ECONNREFUSED'))
  })
}

/** Removes a socket file that may be gone already. */
export async function unlinkPath(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!(error instanceof Error) || codeOf(error) !== 'ENOENT') throw error
  }
}
