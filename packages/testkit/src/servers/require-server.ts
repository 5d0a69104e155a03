// SPDX-License-Identifier: MIT
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The Debian package of each program that tests use. */
const PACKAGES: Readonly<Record<string, string>> = {
  dovecot: 'dovecot-imapd dovecot-pop3d dovecot-lmtpd',
  mbsync: 'isync',
}

/** The reason to skip when a program is missing; undefined when it is there. Throws instead when PORTICO_REQUIRE_ALL=1. */
export function requireServer(...programs: readonly string[]): string | undefined {
  const missing = programs.filter((program) => findProgram(program) === undefined)
  if (missing.length === 0) return undefined
  const reason = missing
    .map((program) => `${program} is missing (apt-get install ${PACKAGES[program] ?? program})`)
    .join(', ')
  if (process.env['PORTICO_REQUIRE_ALL'] === '1') throw new Error(reason)
  return reason
}

/** The path of a program, looked for also where ordinary users do not look. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin']
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
