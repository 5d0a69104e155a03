// SPDX-License-Identifier: MIT
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from './free-ports.js'
import { launch, privateFolder, type RunningServer } from './process.js'

export interface ClamdOptions {
  /** What its one signature finds; never the text of a real test file, which scanners of this machine might find, too. */
  readonly pattern?: string
  /** Octets of a stream above which it gives up; 25 MiB when absent. */
  readonly streamMaxLength?: number
  /** Further lines of its configuration. */
  readonly extra?: string
}

export interface Clamd extends RunningServer {
  readonly port: number
  /** Its other socket. */
  readonly path: string
  /** A text that it takes for a virus. */
  readonly pattern: string
  /** What it calls that. */
  readonly signature: string
}

/** Starts a ClamAV daemon on loopback whose whole database is one signature of ours. It loads nothing from anywhere. */
export async function startClamd(options: ClamdOptions = {}): Promise<Clamd> {
  const { pattern = 'this-is-portico’s-own-test-virus', streamMaxLength = 26_214_400, extra = '' } = options
  const folder = privateFolder('clm')
  const [port = 0] = await freePorts(1)
  const path = join(folder, 'clamd.sock')
  mkdirSync(join(folder, 'db'))
  writeFileSync(join(folder, 'db', 'test.ndb'), `Portico.Test:0:*:${Buffer.from(pattern).toString('hex')}\n`)
  const lines = [
    ...['Foreground yes', 'User root', 'LogClean yes', `LogFile ${join(folder, 'clamd.log')}`],
    ...[`TCPSocket ${port}`, 'TCPAddr 127.0.0.1', `LocalSocket ${path}`],
    ...[`DatabaseDirectory ${join(folder, 'db')}`, `TemporaryDirectory ${folder}`],
    ...[`StreamMaxLength ${streamMaxLength}`, extra, ''],
  ]
  writeFileSync(join(folder, 'clamd.conf'), lines.join('\n'))
  const server = await launch({
    command: '/usr/sbin/clamd',
    args: ['-c', join(folder, 'clamd.conf')],
    folder,
    logFile: join(folder, 'clamd.log'),
    ports: [port],
  })
  return { ...server, port, path, pattern, signature: 'Portico.Test.UNOFFICIAL' }
}
