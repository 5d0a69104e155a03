// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { freePorts } from './free-ports.js'
import { launch, privateFolder, type RunningServer } from './process.js'
import { programPath } from './require-server.js'

export interface Postgres extends RunningServer {
  readonly port: number
}

const AS_POSTGRES = ['--reuid=postgres', '--regid=postgres', '--clear-groups']

/** Starts a PostgreSQL on loopback that lets everybody in, and runs `sql` in its database `postgres`. Nothing outlives it. Needs root. */
export async function startPostgres(sql: string): Promise<Postgres> {
  const folder = privateFolder('pg')
  const [port = 0] = await freePorts(1)
  const data = join(folder, 'data')
  execFileSync('chown', ['postgres', folder])
  const init = [programPath('initdb'), '-D', data, '-A', 'trust', '-U', 'postgres', '-N', '--no-locale', '-E', 'UTF8']
  execFileSync('setpriv', [...AS_POSTGRES, ...init], { stdio: 'pipe', cwd: folder })
  const options = ['-D', data, '-p', `${port}`, '-h', '127.0.0.1', '-k', folder, '-c', 'fsync=off']
  const server = await launch({
    command: 'setpriv',
    args: [...AS_POSTGRES, programPath('postgres'), ...options],
    folder,
    logFile: join(folder, 'postgres.log'),
    ports: [port],
    // Others let it wait for its clients, or bring in order what nobody will read.
    stopSignal: 'SIGQUIT',
  })
  await server.logged(/ready to accept connections/)
  const client = ['-X', '-q', '-h', '127.0.0.1', '-p', `${port}`, '-U', 'postgres', '-v', 'ON_ERROR_STOP=1']
  execFileSync(programPath('psql'), client, { input: sql, stdio: 'pipe' })
  return { ...server, port }
}
