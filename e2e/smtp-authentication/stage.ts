// SPDX-License-Identifier: MIT
import { generateKeyPairSync } from 'node:crypto'
import {
  type DnsZone,
  type Dovecot,
  type Opendkim,
  type Postfix,
  startDnsZone,
  startDovecot,
  startOpendkim,
  startPostfix,
  testCertificates,
} from '@portico/testkit'
import { type Portico, startPortico } from '../lib/portico.js'

/** Domains of others, each by what it says of itself in the DNS. */
export const FAULTS = { servfail: ['down.lan', '_dmarc.unknown.lan'], silent: ['slow.lan'] } as const

export type Door = 'inbound' | 'strict' | 'audit' | 'only-dmarc'

/** A site with mailboxes behind Portico, another site that signs its mail and sends it there, and the DNS of the world around. */
export interface Stage extends AsyncDisposable {
  readonly dovecot: Dovecot
  readonly other: Postfix
  readonly zone: DnsZone
  readonly portico: Portico<Door>
  /** The secret key, in PEM, whose public one the sealers have published. */
  readonly sealingKey: string
}

const DOORS: readonly Door[] = ['inbound', 'strict', 'audit', 'only-dmarc']

export async function setTheStage(): Promise<Stage> {
  const sealing = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const [dovecot, opendkim] = await Promise.all([
    startDovecot({ name: 'mbx1', users: { alice: 'alicepw', spam: 'spampw1' } }),
    startOpendkim({ domain: 'other.lan', mode: 's' }),
  ])
  const publicKey = `v=DKIM1; k=rsa; p=${sealing.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`
  const [inner, zone] = await Promise.all([
    startPostfix({ lmtpPort: dovecot.ports.lmtp, saslPort: dovecot.ports.sasl }),
    startDnsZone({ records: records(opendkim, publicKey), ...FAULTS }),
  ])
  const portico = await startDoors(inner, zone)
  const other = await startOther(portico.ports.inbound, opendkim)
  const all = [other, portico, zone, inner, opendkim, dovecot]
  return {
    ...{ dovecot, other, zone, portico },
    sealingKey: sealing.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    async [Symbol.asyncDispose]() {
      for (const server of all) await server.stop()
    },
  }
}

function records({ keyName, keyRecord }: Opendkim, sealingKey: string): readonly string[] {
  const txt = (name: string, text: string): string =>
    `${name}. TXT ${(text.match(/.{1,250}/g) ?? []).map((part) => `"${part}"`).join(' ')}`
  return [
    txt('other.lan', 'v=spf1 ip4:127.0.0.1 -all'),
    txt('_dmarc.other.lan', 'v=DMARC1; p=reject'),
    txt(keyName, keyRecord),
    txt('soft.lan', 'v=spf1 ~all'),
    txt('deep.lan', 'v=spf1 include:down.lan -all'),
    txt('_dmarc.reject.lan', 'v=DMARC1; p=reject'),
    txt('_dmarc.quarantine.lan', 'v=DMARC1; p=quarantine'),
    txt('_dmarc.none.lan', 'v=DMARC1; p=none'),
    ...['lists.lan', 'eve.lan', 'reject.lan'].map((domain) => txt(`s1._domainkey.${domain}`, sealingKey)),
  ]
}

/** Signs what comes in, and passes it on; some of it is changed behind the signature. */
function startOther(port: number, opendkim: Opendkim): Promise<Postfix> {
  const extra = `
smtpd_milters = inet:127.0.0.1:${opendkim.port}
milter_default_action = tempfail
smtp_body_checks = regexp:{{/^To be changed/ REPLACE It was changed}}
bounce_queue_lifetime = 0
`
  return startPostfix({ name: 'other', smtpPort: port, extra })
}

function startDoors(inner: Postfix, zone: DnsZone): Promise<Portico<Door>> {
  const tls = { mode: 'starttls', ca: testCertificates().ca.certificateFile, servername: 'localhost' }
  const quarantine = { quarantine: 'spam@test.lan' }
  const all = (door: Door, more: object, spf: object = {}) => [
    { type: 'spf', connectors: [door], receivedSpf: true, ...more, ...spf },
    { type: 'dkim', connectors: [door], ...more },
    { type: 'arc', connectors: [door], trust: ['lists.lan'], ...more },
    { type: 'dmarc', connectors: [door], quarantine, ...more },
  ]
  return startPortico<Door>({
    listeners: Object.fromEntries(
      DOORS.map((door) => [door, { protocol: 'smtp', tls: 'starttls', connector: door }]),
    ) as Record<Door, { protocol: 'smtp'; tls: 'starttls'; connector: string }>,
    users: ['alice', 'spam'].map((name) => `${name}:{PLAIN}${name}pw::::::group=mbx1`),
    backends: { mbx1: { identity: 'xclient', smtp: { endpoints: [`127.0.0.1:${inner.port}`], tls } } },
    more: {
      smtp: {
        connectors: Object.fromEntries(DOORS.map((door) => [door, { domains: ['test.lan'], tarpit: '0s' }])),
        dns: { servers: [zone.server], timeout: '1s' },
        agents: [
          ...all('inbound', {}),
          ...all('strict', {}, { softfail: 'action', temperror: 'action' }),
          ...all('audit', { audit: true }),
          { type: 'dmarc', connectors: ['only-dmarc'], temperror: 'action' },
        ],
      },
    },
  })
}
