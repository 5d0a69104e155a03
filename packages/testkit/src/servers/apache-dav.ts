// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from './free-ports.js'
import { launch, privateFolder, type RunningServer } from './process.js'

/** What a scenario with {@link startApacheDav} has to find on the machine. */
export const APACHE_PROGRAMS = ['apache2'] as const

export interface ApacheDav extends RunningServer {
  readonly port: number
  /** The folder that it shows under {@link ApacheDavOptions.path}. */
  readonly files: string
}

export interface ApacheDavOptions {
  /** Passwords by user name. */
  readonly users: Readonly<Record<string, string>>
  /** The URL path of its files, without a trailing slash. */
  readonly path: string
  /** Further lines of its configuration. */
  readonly extra?: string
}

const MODULES = [
  ...['mpm_event', 'authn_core', 'authn_file', 'authz_core', 'authz_user', 'auth_basic', 'alias', 'dir', 'mime'],
  ...['setenvif', 'dav', 'dav_fs'],
]

/** Starts an Apache 2.4 with WebDAV of class 2 (RFC 4918) and Basic authentication on loopback, for all users the same files. */
export async function startApacheDav(options: ApacheDavOptions): Promise<ApacheDav> {
  const folder = privateFolder('apa')
  const [port = 0] = await freePorts(1)
  const files = join(folder, 'files')
  for (const path of [files, join(folder, 'locks')]) {
    mkdirSync(path)
    // As root it gives its rights up.
    chmodSync(path, 0o777)
  }
  writeFileSync(join(folder, 'users'), Object.entries(options.users).map(passwordLine).join(''))
  const file = join(folder, 'apache.conf')
  writeFileSync(file, configuration(folder, port, options))
  const server = await launch({
    command: '/usr/sbin/apache2',
    args: ['-f', file, '-DFOREGROUND'],
    folder,
    logFile: join(folder, 'access.log'),
    ports: [port],
  })
  return { ...server, port, files }
}

function passwordLine([user, password]: readonly [string, string]): string {
  return `${user}:{SHA}${createHash('sha1').update(password).digest('base64')}\n`
}

function configuration(folder: string, port: number, { path, extra }: ApacheDavOptions): string {
  return `ServerRoot ${folder}
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
PidFile ${folder}/pid
${MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
TypesConfig /dev/null
ErrorLog ${folder}/error.log
LogFormat "%{X-Forwarded-For}i %u \\"%r\\" %>s" door
CustomLog ${folder}/access.log door
StartServers 1
ThreadsPerChild 25
KeepAliveTimeout 60
DocumentRoot ${folder}/files
DavLockDB ${folder}/locks/db
Alias ${path} ${folder}/files
<Directory ${folder}/files>
  Dav On
  AuthType Basic
  AuthName files
  AuthUserFile ${folder}/users
  Require valid-user
</Directory>
${extra ?? ''}
`
}
