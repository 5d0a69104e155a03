// SPDX-License-Identifier: MIT
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from './free-ports.js'
import { type Postgres, startPostgres } from './postgres.js'
import { launch, privateFolder, type RunningServer } from './process.js'
import { programPath } from './require-server.js'

export interface SogoOptions {
  /** Passwords by user name. Every user is also in the address book of all. */
  readonly users: Readonly<Record<string, string>>
  /** Where the mail is: users are signed in there by their own name and password. */
  readonly imapPort: number
  /** Where messages are sent to, without a sign-in. */
  readonly smtpPort: number
  /**
   * Whoever the field `x-webobjects-remote-user` of a request names is signed in, so that only a front end may reach it. Else it
   * asks for the password: in a form for its web pages, by Basic for DAV and ActiveSync.
   */
  readonly trustsFrontEnd?: boolean
}

export interface Sogo extends RunningServer {
  /** Web pages below /SOGo/, DAV below /SOGo/dav/, ActiveSync at /SOGo/Microsoft-Server-ActiveSync. */
  readonly port: number
  /** A web server with the scripts and pictures of its pages, below /SOGo.woa/WebServerResources/. */
  readonly filesPort: number
}

/** What a scenario with a SOGo has to find on the machine. */
export const SOGO_PROGRAMS = [
  'sogod',
  'memcached',
  'postgres',
  'initdb',
  'psql',
  'nginx',
  'setpriv',
  'unshare',
] as const

const AS_SOGO = ['--reuid=sogo', '--regid=sogo', '--clear-groups']
const DATABASE_USER = 'sogo'

/** Starts a SOGo 5 with ActiveSync on loopback, with a database, a cache and a web server for its files. Needs root. */
export async function startSogo(options: SogoOptions): Promise<Sogo> {
  const database = await startPostgres(tablesFor(options.users))
  const stops: (() => Promise<void>)[] = [database.stop]
  try {
    const cache = await startMemcached()
    stops.unshift(cache.stop)
    const files = await startFiles()
    stops.unshift(files.stop)
    const sogo = await startDaemon(options, database, cache.address)
    stops.unshift(sogo.stop)
    const stop = async (): Promise<void> => {
      for (const each of stops) await each()
    }
    return { ...sogo, filesPort: files.port, stop, [Symbol.asyncDispose]: stop }
  } catch (error) {
    for (const each of stops) await each()
    throw error
  }
}

/** The users' table, in its own database. */
function tablesFor(users: Readonly<Record<string, string>>): string {
  const rows = Object.entries(users).map(
    ([user, password]) => `('${user}', '${user}', '${password}', '${user}', '${user}@test.lan')`,
  )
  return `CREATE ROLE ${DATABASE_USER} LOGIN SUPERUSER;
CREATE DATABASE ${DATABASE_USER} OWNER ${DATABASE_USER};
\\c ${DATABASE_USER} ${DATABASE_USER}
CREATE TABLE sogo_users (c_uid text PRIMARY KEY, c_name text, c_password text, c_cn text, mail text);
INSERT INTO sogo_users VALUES ${rows.join(', ')};
`
}

async function startMemcached(): Promise<RunningServer & { readonly address: string }> {
  const folder = privateFolder('mem')
  const [port = 0] = await freePorts(1)
  const server = await launch({
    command: programPath('memcached'),
    args: ['-u', 'nobody', '-l', '127.0.0.1', '-p', `${port}`, '-U', '0', '-m', '16'],
    folder,
    logFile: join(folder, 'memcached.log'),
    ports: [port],
  })
  return { ...server, address: `127.0.0.1:${port}` }
}

async function startFiles(): Promise<RunningServer & { readonly port: number }> {
  const folder = privateFolder('files')
  const [port = 0] = await freePorts(1)
  const file = join(folder, 'nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder};`)
  writeFileSync(
    file,
    `daemon off;
pid ${folder}/pid;
error_log stderr;
worker_processes 1;
events {}
http {
  include /etc/nginx/mime.types;
  access_log off;
  ${temporary.join(' ')}
  server {
    listen 127.0.0.1:${port};
    location /SOGo.woa/WebServerResources/ { alias /usr/lib/GNUstep/SOGo/WebServerResources/; }
  }
}
`,
  )
  const server = await launch({
    command: programPath('nginx'),
    args: ['-c', file],
    folder,
    logFile: join(folder, 'nginx.log'),
    ports: [port],
  })
  return { ...server, port }
}

/** It reads its configuration from one place only, where each has its own in a mount namespace. */
async function startDaemon(
  options: SogoOptions,
  database: Postgres,
  cache: string,
): Promise<RunningServer & { readonly port: number }> {
  const folder = privateFolder('sogo')
  const [port = 0] = await freePorts(1)
  for (const name of ['etc', 'home', 'spool']) mkdirSync(join(folder, name), { mode: 0o777 })
  writeFileSync(join(folder, 'etc', 'sogo.conf'), configuration(options, folder, port, database.port, cache))
  const daemon = [programPath('sogod'), '-WOUseWatchDog', 'YES', '-WONoDetach', 'YES', '-WOLogFile', '-']
  const inside = `mount --bind ${folder}/etc /etc/sogo && cd ${folder}/home && chown sogo . ../spool && exec "$@"`
  const server = await launch({
    command: 'unshare',
    args: [
      ...['-m', '--propagation', 'private', 'sh', '-c', inside, 'sh', 'setpriv', ...AS_SOGO],
      ...['env', `HOME=${folder}/home`, ...daemon, '-WOPidFile', `${folder}/home/pid`],
    ],
    folder,
    logFile: join(folder, 'sogo.log'),
    ports: [port],
    // At SIGTERM it takes its time, and what it keeps goes with it.
    stopSignal: 'SIGKILL',
  })
  return { ...server, port }
}

/** Its tables, each by the name of the setting that holds its address. */
const TABLES = {
  SOGoProfileURL: 'sogo_user_profile',
  OCSFolderInfoURL: 'sogo_folder_info',
  OCSSessionsFolderURL: 'sogo_sessions_folder',
  OCSEMailAlarmsFolderURL: 'sogo_alarms_folder',
  OCSStoreURL: 'sogo_store',
  OCSAclURL: 'sogo_acl',
  OCSCacheFolderURL: 'sogo_cache_folder',
  OCSAdminURL: 'sogo_admin',
} as const

function configuration(options: SogoOptions, folder: string, port: number, database: number, cache: string): string {
  const table = (name: string): string =>
    `"postgresql://${DATABASE_USER}:x@127.0.0.1:${database}/${DATABASE_USER}/${name}"`
  return `{
  WOPort = "127.0.0.1:${port}";
  WOWorkersCount = 3;
  SOGoMemcachedHost = "${cache}";
  SOGoMailSpoolPath = "${folder}/spool";
  ${Object.entries(TABLES)
    .map(([key, name]) => `${key} = ${table(name)};`)
    .join('\n  ')}
  SOGoIMAPServer = "imap://127.0.0.1:${options.imapPort}";
  SOGoSMTPServer = "smtp://127.0.0.1:${options.smtpPort}";
  SOGoMailingMechanism = smtp;
  SOGoMailDomain = "test.lan";
  SOGoTimeZone = UTC;
  SOGoLanguage = English;
  SOGoPageTitle = "Mail";
  SOGoTrustProxyAuthentication = ${options.trustsFrontEnd === true ? 'YES' : 'NO'};
  SOGoEncryptionKey = "0123456789abcdef";
  SOGoMaximumPingInterval = 30;
  SOGoMaximumSyncInterval = 30;
  SOGoInternalSyncInterval = 2;
  SOGoUserSources = (
    { type = sql; id = users; viewURL = ${table('sogo_users')}; canAuthenticate = YES; isAddressBook = YES;
      displayName = "Everybody"; userPasswordAlgorithm = plain; }
  );
}
`
}
