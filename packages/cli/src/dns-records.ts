// SPDX-License-Identifier: MIT
import type { WebServices } from '@portico/http'
import type { Offer } from '@portico/session'

/** What the records of a domain are made of. */
export interface DnsFacts {
  /** In lower case, without the dot at its end. */
  readonly domain: string
  /** What clients outside are told to use, the best first. */
  readonly offers: readonly Offer[]
  readonly web: WebServices
  /** Mail from other servers comes here. */
  readonly takesMail: boolean
  /** Of the certificates; empty where something else has them. */
  readonly certificateNames: readonly string[]
  /** The name of this front end. */
  readonly hostname: string
}

interface MailService {
  readonly name: string
  readonly protocol: Offer['protocol']
  readonly tls: Offer['tls']
  /** The lower, the better: TLS from the first octet before STARTTLS, IMAP before POP (RFC 6186 section 3.4, RFC 8314 section 5.1). */
  readonly priority: number
}

const MAIL: readonly MailService[] = [
  { name: '_imaps', protocol: 'imap4', tls: 'implicit', priority: 0 },
  { name: '_imap', protocol: 'imap4', tls: 'starttls', priority: 10 },
  { name: '_pop3s', protocol: 'pop3', tls: 'implicit', priority: 20 },
  { name: '_pop3', protocol: 'pop3', tls: 'starttls', priority: 30 },
  { name: '_submissions', protocol: 'smtp', tls: 'implicit', priority: 0 },
  { name: '_submission', protocol: 'smtp', tls: 'starttls', priority: 10 },
]

/** One record of a zone: the name before the domain, empty for the domain itself; type and data. */
interface DnsRecord {
  readonly name: string
  readonly type: 'MX' | 'SRV' | 'TXT' | 'CNAME'
  readonly data: string
}

/** What says that there is no such service (RFC 2782, RFC 6186 section 3.4). */
const NOT_OFFERED = '0 0 0 .'

/** The records by which programs find the servers of a domain, as a piece of a zone file (RFC 1035 section 5). */
export function dnsText(facts: DnsFacts): string {
  const records = [...mailExchanger(facts), ...mailServices(facts), ...webRecords(facts)]
  const lines = records.map(({ name, type, data }) => {
    const owner = name === '' ? `${facts.domain}.` : `${name}.${facts.domain}.`
    return `${owner.padEnd(WIDTH + facts.domain.length)} ${type.padEnd(5)} ${data}`
  })
  return [`; ${facts.domain}`, ...lines, ...remarks(facts, records), ''].join('\n')
}

/** Of the longest name before a domain, `_autodiscover._tcp`, with both dots. */
const WIDTH = 20

function mailExchanger({ takesMail, hostname }: DnsFacts): readonly DnsRecord[] {
  return takesMail ? [{ name: '', type: 'MX', data: `10 ${hostname}.` }] : []
}

function mailServices({ offers }: DnsFacts): readonly DnsRecord[] {
  return MAIL.map(({ name, protocol, tls, priority }) => {
    const offer = offers.find((each) => each.protocol === protocol && each.tls === tls)
    return service(name, offer, priority)
  })
}

function service(name: string, offer: Offer | undefined, priority: number): DnsRecord {
  const data = offer === undefined ? NOT_OFFERED : `${priority} 1 ${offer.port} ${offer.host}.`
  return { name: `${name}._tcp`, type: 'SRV', data }
}

/** RFC 6764 section 3 and 4, RFC 8620 section 2.2, and what Outlook and Thunderbird ask for by names of their own. */
function webRecords({ offers, web }: DnsFacts): readonly DnsRecord[] {
  const offer = offers.find(({ protocol }) => protocol === 'http')
  const calendars = (['caldav', 'carddav'] as const).flatMap((kind): readonly DnsRecord[] => {
    const path = web.wellKnown.get(kind)
    const secure = service(`_${kind}s`, path === undefined ? undefined : offer, 0)
    const hasPath = path !== undefined && offer !== undefined
    const text = { name: secure.name, type: 'TXT', data: `"path=${path}"` } as const
    return [secure, ...(hasPath ? [text] : []), service(`_${kind}`, undefined, 0)]
  })
  const jmap = service('_jmap', web.wellKnown.has('jmap') ? offer : undefined, 0)
  if (offer === undefined) return [...calendars, jmap]
  const aliases = [...(web.autoconfig ? ['autoconfig'] : []), ...(web.autodiscover ? ['autodiscover'] : [])]
  return [
    ...calendars,
    jmap,
    ...(web.autodiscover ? [service('_autodiscover', offer, 0)] : []),
    ...aliases.map((name) => ({ name, type: 'CNAME', data: `${offer.host}.` }) as const),
  ]
}

/** What the records alone do not do. */
function remarks({ domain, certificateNames, offers }: DnsFacts, records: readonly DnsRecord[]): readonly string[] {
  const aliases = records.filter(({ type }) => type === 'CNAME').map(({ name }) => `${name}.${domain}`)
  const missing = aliases.filter((name) => !certificateNames.some((pattern) => isNamed(name, pattern)))
  const port = offers.find(({ protocol }) => protocol === 'http')?.port
  return [
    ...(certificateNames.length > 0 && missing.length > 0
      ? [
          `; no certificate under tls has the names ${missing.join(' and ')}: programs that ask there by https will not trust it`,
        ]
      : []),
    ...(aliases.length > 0 && port !== 443 ? ['; programs look for CNAMEs at port 443 alone'] : []),
  ]
}

/** A wildcard stands for one label. */
function isNamed(name: string, pattern: string): boolean {
  const lower = pattern.toLowerCase()
  return lower === name || (lower.startsWith('*.') && lower.slice(1) === name.slice(name.indexOf('.')))
}
