// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import type { Offer } from '@portico/session'
import { requireServer } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { autoconfigText } from '../src/autodiscover/autoconfig.js'
import { mobileconfigText, type ProfileKind, type ProfileUser } from '../src/autodiscover/mobileconfig.js'
import type { SetUp } from '../src/autodiscover/set-up.js'

const offer = (protocol: Offer['protocol'], port: number, tls: Offer['tls'] = 'implicit', more: Partial<Offer> = {}) =>
  ({ protocol, host: 'mail.example.com', port, tls, proofs: ['password'], ...more }) as const satisfies Offer

const BASE: SetUp = {
  name: 'Example & Sons',
  domain: 'example.com',
  userName: 'address',
  offers: [offer('imap4', 993), offer('smtp', 465)],
  web: {},
}
const WEB = {
  caldav: 'https://mail.example.com/caldav/',
  carddav: 'https://mail.example.com:8443/carddav/',
  activesync: 'https://mail.example.com/Microsoft-Server-ActiveSync/',
  owa: 'https://mail.example.com/owa/',
}

/** As it is sent: without the line ends and the indentation that are for people. */
function close(text: string): string {
  return text.replace(/\n\s*/g, '')
}

describe('config-v1.1.xml', () => {
  test('as a whole', () => {
    const text = autoconfigText({ ...BASE, web: WEB })
    expect(close(text)).toBe(
      close(`<?xml version="1.0" encoding="utf-8"?>
<clientConfig version="1.1">
  <emailProvider id="example.com">
    <domain>example.com</domain>
    <displayName>Example &amp; Sons</displayName>
    <displayShortName>Example &amp; Sons</displayShortName>
    <incomingServer type="imap">
      <hostname>mail.example.com</hostname>
      <port>993</port>
      <socketType>SSL</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </incomingServer>
    <outgoingServer type="smtp">
      <hostname>mail.example.com</hostname>
      <port>465</port>
      <socketType>SSL</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </outgoingServer>
    <documentation url="https://mail.example.com/owa/">
      <descr lang="en">Sign in to Example &amp; Sons in a browser</descr>
    </documentation>
  </emailProvider>
  <addressBook type="carddav">
    <username>%EMAILADDRESS%</username>
    <authentication>http-basic</authentication>
    <serverURL>https://mail.example.com:8443/carddav/</serverURL>
  </addressBook>
  <calendar type="caldav">
    <username>%EMAILADDRESS%</username>
    <authentication>http-basic</authentication>
    <serverURL>https://mail.example.com/caldav/</serverURL>
  </calendar>
  <webMail>
    <loginPage url="https://mail.example.com/owa/"/>
  </webMail>
</clientConfig>
`),
    )
  })

  /** The servers, one a line: type, host, port, socket, methods, user. */
  function servers(setUp: Partial<SetUp>): readonly string[] {
    const text = autoconfigText({ ...BASE, ...setUp })
    return [...text.matchAll(/<(?:incoming|outgoing)Server type="(\w+)">(.*?)<\/(?:incoming|outgoing)Server>/gs)].map(
      ([, type, inside = '']) => [type, ...[...inside.matchAll(/>([^<>\s]+)</g)].map(([, text]) => text)].join(' '),
    )
  }

  test.each<[string, Partial<SetUp>, readonly string[]]>([
    [
      'each way in its order, IMAP before POP',
      {
        offers: [
          offer('pop3', 995),
          offer('smtp', 587, 'starttls'),
          offer('imap4', 993),
          offer('imap4', 143, 'starttls'),
        ],
      },
      [
        'imap mail.example.com 993 SSL password-cleartext %EMAILADDRESS%',
        'imap mail.example.com 143 STARTTLS password-cleartext %EMAILADDRESS%',
        'pop3 mail.example.com 995 SSL password-cleartext %EMAILADDRESS%',
        'smtp mail.example.com 587 STARTTLS password-cleartext %EMAILADDRESS%',
      ],
    ],
    ['nothing without encryption', { offers: [offer('imap4', 143, 'none'), offer('smtp', 25, 'none')] }, []],
    ['nothing of HTTP', { offers: [offer('http', 443)] }, []],
    [
      'a password before a ticket that the client may not have',
      { offers: [offer('imap4', 993, 'implicit', { proofs: ['kerberos', 'ntlm', 'token', 'password'] })] },
      ['imap mail.example.com 993 SSL OAuth2 password-cleartext GSSAPI NTLM %EMAILADDRESS%'],
    ],
    [
      'the short user name',
      { userName: 'alias', offers: [offer('imap4', 993)] },
      ['imap mail.example.com 993 SSL password-cleartext %EMAILLOCALPART%'],
    ],
  ])('%s', (_, setUp, lines) => {
    expect(servers(setUp)).toEqual(lines)
  })
})

describe.skipIf(requireServer('python3') !== undefined)('a profile for Apple', () => {
  const ALICE: ProfileUser = { address: 'alice@example.com', userName: 'alice@example.com', fullName: 'Alice <A>' }

  interface Profile {
    readonly [key: string]: unknown
    readonly PayloadContent: readonly Readonly<Record<string, unknown>>[]
  }

  /** As Python's plistlib, a reader that is not ours, understands it. */
  function profile(setUp: Partial<SetUp> = {}, user = ALICE, kind: ProfileKind = 'standard'): Profile {
    const program = 'import json, plistlib, sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))'
    const input = mobileconfigText({ ...BASE, ...setUp }, user, kind)
    return JSON.parse(execFileSync('python3', ['-c', program], { input, encoding: 'utf8' })) as Profile
  }

  const types = ({ PayloadContent }: Profile) => PayloadContent.map(({ PayloadType }) => PayloadType)

  test('the mail account', () => {
    const { PayloadContent, ...whole } = profile()
    expect(whole).toMatchObject({
      PayloadType: 'Configuration',
      PayloadVersion: 1,
      PayloadDisplayName: 'Example & Sons (alice@example.com)',
      PayloadOrganization: 'Example & Sons',
      PayloadRemovalDisallowed: false,
    })
    expect(PayloadContent).toHaveLength(1)
    expect(PayloadContent[0]).toMatchObject({
      PayloadType: 'com.apple.mail.managed',
      PayloadVersion: 1,
      EmailAccountDescription: 'Example & Sons',
      EmailAccountName: 'Alice <A>',
      EmailAccountType: 'EmailTypeIMAP',
      EmailAddress: 'alice@example.com',
      IncomingMailServerAuthentication: 'EmailAuthPassword',
      IncomingMailServerHostName: 'mail.example.com',
      IncomingMailServerPortNumber: 993,
      IncomingMailServerUseSSL: true,
      IncomingMailServerUsername: 'alice@example.com',
      OutgoingMailServerAuthentication: 'EmailAuthPassword',
      OutgoingMailServerHostName: 'mail.example.com',
      OutgoingMailServerPortNumber: 465,
      OutgoingMailServerUseSSL: true,
      OutgoingMailServerUsername: 'alice@example.com',
      OutgoingPasswordSameAsIncomingPassword: true,
    })
  })

  test('calendars and contacts, by the host that is asked below /.well-known/', () => {
    const { PayloadContent } = profile({ web: { caldav: WEB.caldav, carddav: WEB.carddav } })
    expect(PayloadContent.slice(1)).toMatchObject([
      {
        PayloadType: 'com.apple.caldav.account',
        CalDAVHostName: 'mail.example.com',
        CalDAVPort: 443,
        CalDAVUseSSL: true,
        CalDAVUsername: 'alice@example.com',
      },
      { PayloadType: 'com.apple.carddav.account', CardDAVHostName: 'mail.example.com', CardDAVPort: 8443 },
    ])
  })

  test.each<[string, Partial<SetUp>, ProfileKind, readonly string[]]>([
    ['no way to send', { offers: [offer('imap4', 993)] }, 'standard', []],
    [
      'nothing that takes a password',
      { offers: [offer('imap4', 993, 'implicit', { proofs: ['kerberos'] }), offer('smtp', 465)] },
      'standard',
      [],
    ],
    [
      'everything',
      { web: WEB },
      'standard',
      ['com.apple.mail.managed', 'com.apple.caldav.account', 'com.apple.carddav.account'],
    ],
    ['ActiveSync by choice', { web: WEB }, 'activesync', ['com.apple.eas.account']],
    ['ActiveSync by choice where there is none', {}, 'activesync', []],
    [
      'ActiveSync for what mail lacks',
      { web: { activesync: WEB.activesync } },
      'standard',
      ['com.apple.mail.managed', 'com.apple.eas.account'],
    ],
  ])('%s', (_, setUp, kind, expected) => {
    expect(types(profile(setUp, ALICE, kind))).toEqual(expected)
  })

  test('POP3 where there is no IMAP', () => {
    const { PayloadContent } = profile({ offers: [offer('pop3', 995), offer('smtp', 465)] })
    expect(PayloadContent[0]).toMatchObject({ EmailAccountType: 'EmailTypePOP', IncomingMailServerPortNumber: 995 })
  })

  test('ActiveSync gives what nothing else gives, so that nobody has two of a mailbox', () => {
    const web = { activesync: WEB.activesync, caldav: WEB.caldav }
    expect(profile({ web }).PayloadContent.at(-1)).toMatchObject({
      PayloadType: 'com.apple.eas.account',
      Host: 'mail.example.com',
      SSL: true,
      UserName: 'alice@example.com',
      EnableMail: false,
      EnableCalendars: false,
      EnableReminders: false,
      EnableContacts: true,
    })
    expect(profile({ web }, ALICE, 'activesync').PayloadContent[0]).toMatchObject({
      EnableMail: true,
      EnableContacts: true,
    })
  })

  test('the same user gets the same names, so that a new profile replaces the old one; two users get two', () => {
    const names = (one: Profile) =>
      [one, ...one.PayloadContent].flatMap(({ PayloadIdentifier, PayloadUUID }) => [PayloadIdentifier, PayloadUUID])
    const first = names(profile({ web: WEB }))
    expect(names(profile({ web: WEB, offers: [offer('imap4', 143, 'starttls'), offer('smtp', 587)] }))).toEqual(first)
    expect(new Set(first).size).toBe(8)
    const others = names(profile({ web: WEB }, { ...ALICE, address: 'bob@example.com' }))
    expect(others.filter((name) => first.includes(name))).toEqual([])
    for (const [at, name] of first.entries()) {
      const shape =
        at % 2 === 0
          ? /^com\.example\.portico\./
          : /^[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$/
      expect(name).toMatch(shape)
    }
  })
})
