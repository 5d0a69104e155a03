// SPDX-License-Identifier: MIT
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from './free-ports.js'
import { launch, privateFolder, type RunningServer } from './process.js'

export interface OpendkimOptions {
  /** It signs for this domain. */
  readonly domain?: string
  /** `s` signs, `v` verifies, `sv` does both when absent. */
  readonly mode?: 's' | 'v' | 'sv'
  /** Networks whose mail it signs; the loopback's when absent. Mail of others it verifies. */
  readonly internal?: readonly string[]
  /** Public keys by the names under which a name server would have them: it asks this list and no name server. */
  readonly keys?: Readonly<Record<string, string>>
  /** Further lines of its configuration. */
  readonly extra?: string
}

export interface Opendkim extends RunningServer {
  /** It speaks the milter protocol there. */
  readonly port: number
  /** Where its public key belongs, such as `s1._domainkey.test.lan`. */
  readonly keyName: string
  /** Its public key as a TXT record has it (RFC 6376 section 3.6.1). */
  readonly keyRecord: string
}

const SELECTOR = 's1'

/** Starts an opendkim 2 on loopback that signs with a key of its own. It asks no name server but on loopback. */
export async function startOpendkim(options: OpendkimOptions = {}): Promise<Opendkim> {
  const { domain = 'test.lan', mode = 'sv', internal = ['127.0.0.0/8'], keys = {}, extra = '' } = options
  const folder = privateFolder('odk')
  const [port = 0] = await freePorts(1)
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const keyName = `${SELECTOR}._domainkey.${domain}`
  const keyRecord = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`
  const known = Object.entries({ [keyName]: keyRecord, ...keys })
  writeFileSync(join(folder, 'key.pem'), privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 })
  writeFileSync(join(folder, 'keys'), known.map(([name, record]) => `${name} ${record}\n`).join(''))
  writeFileSync(join(folder, 'internal'), internal.map((network) => `${network}\n`).join(''))
  const lines = [
    `Socket inet:${port}@127.0.0.1`,
    `Domain ${domain}`,
    `Selector ${SELECTOR}`,
    `KeyFile ${join(folder, 'key.pem')}`,
    `Mode ${mode}`,
    `InternalHosts ${join(folder, 'internal')}`,
    `TestPublicKeys ${join(folder, 'keys')}`,
    ...['Syslog no', 'RequireSafeKeys no', 'Canonicalization relaxed/simple', extra, ''],
  ]
  writeFileSync(join(folder, 'opendkim.conf'), lines.join('\n'))
  const server = await launch({
    command: '/usr/sbin/opendkim',
    args: ['-f', '-x', join(folder, 'opendkim.conf')],
    folder,
    logFile: join(folder, 'opendkim.log'),
    ports: [port],
  })
  return { ...server, port, keyName, keyRecord }
}
