// SPDX-License-Identifier: MIT
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestCertificate } from '../certificates.js'
import { privateFolder } from './process.js'

const run = promisify(execFile)

export interface HylafaxOptions {
  /** Where it mails what it receives: to a port of localhost. */
  readonly port: number
  /** It speaks STARTTLS there, and wants a certificate of this authority. */
  readonly authority?: TestCertificate
  /** It signs in as this user by this certificate (EXTERNAL). */
  readonly client?: { readonly user: string; readonly certificate: TestCertificate }
}

/** A fax that a HylaFAX is to have received. */
export interface ReceivedFax {
  /** Whom it mails it to. */
  readonly to: string
  /** The caller's number. */
  readonly caller: string
  /** What it mails: TIFF, or a PDF made of it. */
  readonly form: 'tif' | 'pdf'
}

export interface Hylafax {
  /** Has it take a page that a modem has received, and mail it; what its mailer said. */
  receive(fax: ReceivedFax): Promise<string>
}

const PAGE = '%!PS\n/Helvetica findfont 40 scalefont setfont 72 400 moveto (A fax) show showpage\n'

/**
 * A HylaFAX 6 in a spool folder of its own, as far as it is behind the modem: its `faxrcvd` makes mail of pages. It has no daemon, and
 * msmtp is its mailer.
 */
export function makeHylafax({ port, authority, client }: HylafaxOptions): Hylafax {
  const folder = privateFolder('hyl')
  for (const name of ['recvq', 'log', 'tmp', 'info']) mkdirSync(join(folder, name))
  cpSync('/var/spool/hylafax/bin', join(folder, 'bin'), { recursive: true })
  cpSync('/etc/hylafax', join(folder, 'etc'), { recursive: true, dereference: true })
  const mailer = join(folder, 'msmtprc')
  writeFileSync(mailer, mailerSettings(port, authority, client), { mode: 0o600 })
  writeFileSync(join(folder, 'etc/setup.cache'), `${SETUP}SENDMAIL='/usr/bin/msmtp -C ${mailer}'\n`)
  writeFileSync(join(folder, 'page.ps'), PAGE)
  let received = 0
  return {
    async receive({ to, caller, form }) {
      received += 1
      const file = `recvq/fax0000${received}.tif`
      const dispatch = `SENDTO=${to}\nFILETYPE=${form}\nFROMADDR=fax@pbx.test.lan\nNOTIFY_FAXMASTER=never\n`
      writeFileSync(join(folder, 'etc/FaxDispatch'), dispatch)
      const page = ['-q', '-dNOPAUSE', '-dBATCH', '-sDEVICE=tiffg3', '-r204x98', `-sOutputFile=${file}`, 'page.ps']
      await run('/usr/bin/gs', page, { cwd: folder })
      const call = [file, 'ttyS0', `0000000${received}`, '', caller, 'Caller']
      const { stdout, stderr } = await run('/bin/bash', ['bin/faxrcvd', ...call], { cwd: folder })
      return stdout + stderr
    },
  }
}

/** What `faxsetup` would find out. */
const SETUP = `AWK=/usr/bin/awk
BASE64ENCODE=/usr/bin/base64
CAT=/bin/cat
ECHO=/bin/echo
ENCODING=base64
GREP=/bin/grep
QPENCODE=qp-encode
RM=/bin/rm
SBIN=/usr/sbin
SED=/bin/sed
TIFF2PDF=/usr/bin/tiff2pdf
TIFFBIN=/usr/bin
TTYCMD=/bin/false
`

function mailerSettings(port: number, authority?: TestCertificate, client?: HylafaxOptions['client']): string {
  const tls =
    authority === undefined ? 'tls off' : `tls on\ntls_starttls on\ntls_trust_file ${authority.certificateFile}`
  const signIn =
    client === undefined
      ? 'auth off'
      : `auth external\nuser ${client.user}\ntls_cert_file ${client.certificate.certificateFile}\ntls_key_file ${client.certificate.keyFile}`
  return `account default\nhost localhost\nport ${port}\ndomain pbx.test.lan\n${tls}\n${signIn}\n`
}
