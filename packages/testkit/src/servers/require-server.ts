// SPDX-License-Identifier: MIT
import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The Debian package of each program that tests use. */
const PACKAGES: Readonly<Record<string, string>> = {
  dovecot: 'dovecot-imapd dovecot-pop3d dovecot-lmtpd',
  mbsync: 'isync',
  getmail: 'getmail6',
  offlineimap: 'offlineimap3',
  cyrmaster: 'cyrus-common',
  saslpasswd2: 'sasl2-bin',
  apache2: 'apache2-bin',
  httpd: 'cyrus-caldav',
  nghttp: 'nghttp2-client',
  h2load: 'nghttp2-client',
  testssl: 'testssl.sh',
  'smtp-source': 'postfix',
  'pebble-challtestsrv': 'pebble',
  knotd: 'knot',
  knotc: 'knot',
  faxinfo: 'hylafax-server',
  gs: 'ghostscript',
  sogod: 'sogo sogo-activesync',
  postgres: 'postgresql',
  initdb: 'postgresql',
  psql: 'postgresql',
  wbxml2xml: 'libwbxml2-utils',
  clamd: 'clamav-daemon',
  'opendkim-testmsg': 'opendkim-tools',
  arcsign: 'python3-dkim python3-authres',
}

/** Their packages cannot be installed beside Dovecot's or Postfix's; the script unpacks them where {@link findProgram} looks. */
const UNPACKED: ReadonlySet<string> = new Set(['imapd', 'pop3d', 'exim4'])

const FOLDERS = [
  ...['/usr/sbin', '/usr/local/sbin', '/sbin', '/usr/lib/postfix/sbin', '/usr/lib/cyrus/bin'],
  ...['/usr/local/lib/cyrus/bin', '/usr/local/lib/exim4/bin'],
  ...foldersIn('/usr/lib/postgresql').map((version) => join(version, 'bin')),
]

function foldersIn(path: string): readonly string[] {
  try {
    return readdirSync(path).map((name) => join(path, name))
  } catch {
    return []
  }
}

/** The reason to skip when a program is missing, which is printed; undefined when it is there. Throws instead when PORTICO_REQUIRE_ALL=1. */
export function requireServer(...programs: readonly string[]): string | undefined {
  const missing = programs.filter((program) => findProgram(program) === undefined)
  if (missing.length === 0) return undefined
  const reason = missing.map((program) => `${program} is missing (${remedy(program)})`).join(', ')
  if (process.env['PORTICO_REQUIRE_ALL'] === '1') throw new Error(reason)
  process.stderr.write(`skipped: ${reason}\n`)
  return reason
}

function remedy(program: string): string {
  return UNPACKED.has(program) ? 'scripts/install-test-packages' : `apt-get install ${PACKAGES[program] ?? program}`
}

/** The path of a program, looked for also where ordinary users do not look. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...FOLDERS]
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

/** The path of a program that has to be there; throws when it is missing. */
export function programPath(name: string): string {
  const path = findProgram(name)
  if (path === undefined) throw new Error(`${name} is missing (${remedy(name)})`)
  return path
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
