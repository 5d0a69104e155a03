// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WebServices } from '@portico/http'
import type { Offer } from '@portico/session'
import { privateFolder, testCertificates } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { dns } from '../src/dns.js'
import { type DnsFacts, dnsText } from '../src/dns-records.js'

const offer = (protocol: Offer['protocol'], port: number, tls: Offer['tls'] = 'implicit'): Offer => ({
  protocol,
  host: 'mail.example.com',
  port,
  tls,
  proofs: ['password'],
})

const NOTHING: WebServices = { wellKnown: new Map(), autodiscover: false, autoconfig: false }

const BARE: DnsFacts = {
  domain: 'example.com',
  offers: [],
  web: NOTHING,
  takesMail: false,
  certificateNames: [],
  hostname: 'mail.example.com',
}

/** The records without the domain and the blanks, and the remarks. */
function lines(facts: Partial<DnsFacts>): readonly string[] {
  const [title, ...rest] = dnsText({ ...BARE, ...facts })
    .trimEnd()
    .split('\n')
  expect(title).toBe('; example.com')
  return rest.map((line) =>
    line
      .replace(/\.?example\.com\. +/, ' ')
      .replace(/ +/g, ' ')
      .trim(),
  )
}

describe('the records of a domain', () => {
  test('where nothing is offered, all of them say so (RFC 6186 section 3.4)', () => {
    const services = ['_imaps', '_imap', '_pop3s', '_pop3', '_submissions', '_submission']
    const web = ['_caldavs', '_caldav', '_carddavs', '_carddav', '_jmap']
    expect(lines({})).toEqual([...services, ...web].map((name) => `${name}._tcp SRV 0 0 0 .`))
  })

  test('mail: encryption from the first octet is preferred, and IMAP to POP', () => {
    const offers = [
      offer('imap4', 993),
      offer('imap4', 143, 'starttls'),
      offer('pop3', 1995),
      offer('smtp', 465),
      offer('smtp', 587, 'starttls'),
    ]
    expect(lines({ offers, takesMail: true }).slice(0, 7)).toEqual([
      'MX 10 mail.example.com.',
      '_imaps._tcp SRV 0 1 993 mail.example.com.',
      '_imap._tcp SRV 10 1 143 mail.example.com.',
      '_pop3s._tcp SRV 20 1 1995 mail.example.com.',
      '_pop3._tcp SRV 0 0 0 .',
      '_submissions._tcp SRV 0 1 465 mail.example.com.',
      '_submission._tcp SRV 10 1 587 mail.example.com.',
    ])
  })

  test('what has no encryption is not told of', () => {
    const offers = [offer('imap4', 143, 'none'), offer('smtp', 25, 'none')]
    expect(lines({ offers })).toEqual(lines({}))
  })

  const web: WebServices = {
    wellKnown: new Map([
      ['caldav', '/dav/'],
      ['carddav', '/dav/'],
      ['jmap', '/jmap/'],
    ]),
    autodiscover: true,
    autoconfig: true,
  }

  test('calendars, contacts, JMAP, and the names that Outlook and Thunderbird know (RFC 6764, RFC 8620)', () => {
    expect(lines({ offers: [offer('http', 443)], web }).slice(6)).toEqual([
      '_caldavs._tcp SRV 0 1 443 mail.example.com.',
      '_caldavs._tcp TXT "path=/dav/"',
      '_caldav._tcp SRV 0 0 0 .',
      '_carddavs._tcp SRV 0 1 443 mail.example.com.',
      '_carddavs._tcp TXT "path=/dav/"',
      '_carddav._tcp SRV 0 0 0 .',
      '_jmap._tcp SRV 0 1 443 mail.example.com.',
      '_autodiscover._tcp SRV 0 1 443 mail.example.com.',
      'autoconfig CNAME mail.example.com.',
      'autodiscover CNAME mail.example.com.',
    ])
  })

  test.each<[string, Partial<DnsFacts>, readonly string[]]>([
    ['names that a wildcard has', { certificateNames: ['*.EXAMPLE.com'] }, []],
    [
      'a name that no certificate has',
      { certificateNames: ['mail.example.com', 'autoconfig.example.com', '*.com'] },
      [
        '; no certificate under tls has the names autodiscover.example.com: programs that ask there by https will not trust it',
      ],
    ],
    ['certificates that are elsewhere', { certificateNames: [] }, []],
    ['another port', { offers: [offer('http', 8443)] }, ['; programs look for CNAMEs at port 443 alone']],
  ])('remarks: %s', (_, facts, remarks) => {
    const all = lines({ offers: [offer('http', 443)], web, ...facts })
    expect(all.filter((line) => line.startsWith(';'))).toEqual(remarks)
  })

  test('names end with a dot, and records stand in columns', () => {
    const text = dnsText({ ...BARE, offers: [offer('http', 443)], web })
    const records = text.split('\n').filter((line) => line !== '' && !line.startsWith(';'))
    for (const record of records) expect(record).toMatch(/^\S*example\.com\. +(?:MX|SRV|TXT|CNAME) +\S/)
    expect(new Set(records.map((record) => record.search(/(?:MX|SRV|TXT|CNAME) /))).size).toBe(1)
  })
})

describe('portico dns', () => {
  function file(more: object): string {
    const folder = privateFolder('dns')
    const { server } = testCertificates()
    writeFileSync(join(folder, 'users'), 'kim:{PLAIN}secret::::::group=mbx\n', { mode: 0o600 })
    const path = join(folder, 'portico.yaml')
    const config = {
      version: 1,
      hostname: 'mx1.example.com',
      tls: [{ names: ['mail.example.com'], certificate: server.certificateFile, key: { file: server.keyFile } }],
      listeners: [
        { protocol: 'imap4', address: '[::]:993', tls: 'implicit' },
        { protocol: 'smtp', address: '[::]:25', tls: 'starttls' },
        { protocol: 'http', address: '[::]:443', tls: 'implicit' },
      ],
      credentials: [{ type: 'users-file', path: 'users' }],
      location: [{ type: 'users-file' }],
      backends: {
        mbx: {
          identity: 'password',
          imap4: { endpoints: ['127.0.0.1:143'] },
          smtp: { endpoints: ['127.0.0.1:25'] },
          http: { endpoints: ['http://127.0.0.1:80'] },
        },
      },
      http: { directories: [{ preset: 'autodiscover' }, { preset: 'caldav' }] },
      ...more,
    }
    writeFileSync(path, JSON.stringify(config))
    return path
  }

  test('says what the configuration publishes, for each of its domains', async () => {
    const publish = { host: 'mail.example.com', domains: ['example.com', 'example.net'] }
    const text = (await dns(file({ publish }), [])).replace(/ +/g, ' ')
    expect(text).toContain('_imaps._tcp.example.com. SRV 0 1 993 mail.example.com.\n')
    expect(text).toContain('_imaps._tcp.example.net. SRV 0 1 993 mail.example.com.\n')
    expect(text).toContain('example.net. MX 10 mail.example.com.\n')
    expect(text).toContain('_caldavs._tcp.example.com. TXT "path=/caldav/"\n')
    expect(text).toContain('autoconfig.example.com. CNAME mail.example.com.\n')
    expect(text).toContain('; no certificate under tls has the names autoconfig.example.com and')
  })

  test('says it of another domain when asked, and asks for one where there is none', async () => {
    expect(await dns(file({}), ['New.example.'])).toContain('\n_imaps._tcp.new.example. ')
    await expect(dns(file({}), [])).rejects.toThrow('publish.domains')
  })
})
