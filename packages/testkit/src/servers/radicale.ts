// SPDX-License-Identifier: MIT
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from './free-ports.js'
import { launch, privateFolder, type RunningServer } from './process.js'

export interface Radicale extends RunningServer {
  readonly port: number
}

export interface RadicaleOptions {
  /** Passwords by user name. */
  readonly users: Readonly<Record<string, string>>
  /** Where its items lie; several may share it. A folder of its own when absent. */
  readonly store?: string
}

/** Starts a Radicale 3 (CalDAV, CardDAV) with Basic authentication on loopback. */
export async function startRadicale(options: RadicaleOptions): Promise<Radicale> {
  const folder = privateFolder('rad')
  const [port = 0] = await freePorts(1)
  const store = options.store ?? join(folder, 'store')
  mkdirSync(store, { recursive: true })
  writeFileSync(
    join(folder, 'users'),
    Object.entries(options.users)
      .map(([user, password]) => `${user}:${password}\n`)
      .join(''),
  )
  writeFileSync(
    join(folder, 'config'),
    `[server]
hosts = 127.0.0.1:${port}
[auth]
type = htpasswd
htpasswd_filename = ${folder}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = ${store}
[logging]
level = debug
mask_passwords = True
`,
  )
  const server = await launch({
    command: '/usr/bin/radicale',
    args: ['--config', join(folder, 'config')],
    folder,
    logFile: join(folder, 'radicale.log'),
    ports: [port],
  })
  return { ...server, port }
}
