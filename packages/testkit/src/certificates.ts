// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './folders.js'

/** A certificate with its key: as PEM text and as files. */
export interface TestCertificate {
  readonly certificate: string
  readonly key: string
  readonly certificateFile: string
  readonly keyFile: string
}

/** What tests need for TLS on one machine. */
export interface TestCertificates {
  readonly folder: string
  /** The certificate authority that signed both leaves. */
  readonly ca: TestCertificate
  /** For localhost, *.test.lan, 127.0.0.1 and ::1. */
  readonly server: TestCertificate
  /** Subject CN=alice. */
  readonly client: TestCertificate
}

let cached: TestCertificates | undefined

/** Made with the openssl command at first use, P-256; removed when the process ends. Throws when openssl is missing. */
export function testCertificates(): TestCertificates {
  if (cached !== undefined) return cached
  const folder = temporaryFolder('portico-ca-')
  const ca = authority(folder)
  cached = {
    folder,
    ca,
    server: leaf(folder, ca, 'server', 'localhost', FOR_SERVERS),
    client: leaf(folder, ca, 'client', 'alice', ['subjectAltName=email:alice@test.lan', 'extendedKeyUsage=clientAuth']),
  }
  return cached
}

/** Another one for the same names as `server`, with the subject's name `subject`, of letters and digits. */
export function anotherServerCertificate(subject: string): TestCertificate {
  const { folder, ca } = testCertificates()
  return leaf(folder, ca, subject, subject, FOR_SERVERS)
}

const FOR_SERVERS = ['subjectAltName=DNS:localhost,DNS:*.test.lan,IP:127.0.0.1,IP:::1', 'extendedKeyUsage=serverAuth']

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

function authority(folder: string): TestCertificate {
  const [certificateFile, keyFile] = [join(folder, 'ca.pem'), join(folder, 'ca.key')]
  const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign']
  openssl([
    ...['req', '-x509', ...NEW_KEY, '-days', '30', '-subj', '/CN=Test CA', '-keyout', keyFile, '-out', certificateFile],
    ...extensions.flatMap((extension) => ['-addext', extension]),
  ])
  return read(certificateFile, keyFile)
}

function leaf(
  folder: string,
  ca: TestCertificate,
  name: string,
  subject: string,
  extensions: readonly string[],
): TestCertificate {
  const file = (suffix: string): string => join(folder, `${name}.${suffix}`)
  openssl(['req', ...NEW_KEY, '-subj', `/CN=${subject}`, '-keyout', file('key'), '-out', file('csr')])
  writeFileSync(file('ext'), `${extensions.join('\n')}\n`)
  openssl([
    ...['x509', '-req', '-in', file('csr'), '-CA', ca.certificateFile, '-CAkey', ca.keyFile, '-CAcreateserial'],
    ...['-days', '30', '-extfile', file('ext'), '-out', file('pem')],
  ])
  return read(file('pem'), file('key'))
}

function read(certificateFile: string, keyFile: string): TestCertificate {
  return {
    certificate: readFileSync(certificateFile, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
    certificateFile,
    keyFile,
  }
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' })
}
