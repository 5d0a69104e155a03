// SPDX-License-Identifier: MIT
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from './free-ports.js'
import { launch, privateFolder, type RunningServer } from './process.js'

export interface Radicale extends RunningServer {
  readonly port: number
}

/** Starts a Radicale 3 (CalDAV, CardDAV) with Basic authentication on loopback. `users`: passwords by user name. */
export async function startRadicale(options: { readonly users: Readonly<Record<string, string>> }): Promise<Radicale> {
  const folder = privateFolder('rad')
  const [port = 0] = await freePorts(1)
  mkdirSync(join(folder, 'store'))
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
filesystem_folder = ${folder}/store
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
