// SPDX-License-Identifier: MIT
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The Debian package of each program that tests use. */
const PACKAGES: Readonly<Record<string, string>> = {
  dovecot: 'dovecot-imapd dovecot-pop3d dovecot-lmtpd',
  mbsync: 'isync',
  getmail: 'getmail6',
  offlineimap: 'offlineimap3',
  cyrmaster: 'cyrus-common',
  saslpasswd2: 'sasl2-bin',
}

/** Their packages cannot be installed beside Dovecot's; the script unpacks them where {@link findProgram} looks. */
const UNPACKED: ReadonlySet<string> = new Set(['imapd', 'pop3d'])

const FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/sbin', '/usr/lib/cyrus/bin', '/usr/local/lib/cyrus/bin']

/** The reason to skip when a program is missing; undefined when it is there. Throws instead when PORTICO_REQUIRE_ALL=1. */
export function requireServer(...programs: readonly string[]): string | undefined {
  const missing = programs.filter((program) => findProgram(program) === undefined)
  if (missing.length === 0) return undefined
  const reason = missing.map((program) => `${program} is missing (${remedy(program)})`).join(', ')
  if (process.env['PORTICO_REQUIRE_ALL'] === '1') throw new Error(reason)
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

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
