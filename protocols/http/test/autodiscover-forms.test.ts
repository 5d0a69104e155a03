// SPDX-License-Identifier: MIT
import type { Offer } from '@portico/session'
import { describe, expect, test } from 'vitest'
import { httpPlaces } from '../src/autodiscover/http-places.js'
import { document } from '../src/autodiscover/markup.js'
import { mobileRedirect, mobileRefusal, mobileSettings } from '../src/autodiscover/pox-mobilesync.js'
import { outlookRedirectAddress, outlookRedirectUrl, outlookSettings } from '../src/autodiscover/pox-outlook.js'
import { readPoxRequest } from '../src/autodiscover/pox-request.js'
import { errorAnswer } from '../src/autodiscover/pox-words.js'
import type { ClientSettings } from '../src/autodiscover/settings.js'
import { readXml } from '../src/autodiscover/xml.js'
import { httpSchema } from '../src/schema.js'

const { directories } = httpSchema.parse({
  directories: ['owa', 'ecp', 'ews', 'mapi', 'rpc', 'oab', 'activesync', 'autodiscover'].map((preset) => ({ preset })),
})
const EVERYTHING = { isOpen: () => true, isServed: () => true, networks: [] }
const outside = httpPlaces(directories, { host: 'mail.example.com', port: 443 }, EVERYTHING)
const inside = httpPlaces(directories, { host: 'cas.example.lan', port: 8443 }, EVERYTHING)
const offer = (protocol: Offer['protocol'], port: number, tls: Offer['tls']): Offer => ({
  protocol,
  host: `${protocol}.example.com`,
  port,
  tls,
  proofs: ['password'],
})

const KIM: ClientSettings = {
  displayName: 'Kim "K" <& Co>',
  address: 'kim@example.com',
  userName: 'kim@example.com',
  mailboxId: '0b0c@example.com',
  legacyDn: undefined,
  offers: [],
  external: outside,
  internal: undefined,
  publicFolders: undefined,
}

const NOTHING = { mapiHttp: false, negotiate: false, exHttp: false }

/** A document with each element on a line of its own, so that a difference can be seen. */
function lines(root: Parameters<typeof document>[0]): readonly string[] {
  const text = document(root)
  expect(readXml(Buffer.from(text)), text).toBeDefined()
  return text
    .replace(/<Autodiscover.*?<Response[^>]*>/s, '')
    .replace(/<\?.*?\?>\n/, '')
    .replace(/<\/Response><\/Autodiscover>\n/, '')
    .replace(/></g, '>\n<')
    .split('\n')
}

const BASE = 'http://schemas.microsoft.com/exchange/autodiscover'

test('the root of an answer in the outlook schema ([MS-OXDSCLI] section 2.2.4)', () => {
  expect(document(outlookRedirectAddress('kim@other.example'))).toBe(
    `<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="${BASE}/responseschema/2006"><Response xmlns="${BASE}/outlook/responseschema/2006a"><Account><AccountType>email</AccountType><Action>redirectAddr</Action><RedirectAddr>kim@other.example</RedirectAddr></Account></Response></Autodiscover>
`,
  )
})

describe('the outlook schema', () => {
  const head = [
    '<User>',
    '<DisplayName>Kim &quot;K&quot; &lt;&amp; Co&gt;</DisplayName>',
    '<AutoDiscoverSMTPAddress>kim@example.com</AutoDiscoverSMTPAddress>',
    '</User>',
    '<Account>',
    '<AccountType>email</AccountType>',
    '<Action>settings</Action>',
  ]
  const services = (origin: string) => [
    `<ASUrl>${origin}/EWS/Exchange.asmx</ASUrl>`,
    `<EwsUrl>${origin}/EWS/Exchange.asmx</EwsUrl>`,
    `<OOFUrl>${origin}/EWS/Exchange.asmx</OOFUrl>`,
    `<OABUrl>${origin}/OAB/</OABUrl>`,
    `<EcpUrl>${origin}/ecp/</EcpUrl>`,
    '</Protocol>',
  ]
  const expr = (type: string, auth: string) => [
    '<Protocol>',
    `<Type>${type}</Type>`,
    '<Server>mail.example.com</Server>',
    '<SSL>On</SSL>',
    `<AuthPackage>${auth}</AuthPackage>`,
    ...services('https://mail.example.com'),
  ]
  const web = (side: string, origin: string, type: string) => [
    `<${side}>`,
    `<OWAUrl AuthenticationMethod="Fba, Basic">${origin}/owa/</OWAUrl>`,
    '<Protocol>',
    `<Type>${type}</Type>`,
    `<ASUrl>${origin}/EWS/Exchange.asmx</ASUrl>`,
    '</Protocol>',
    `</${side}>`,
  ]
  const webOutside = [
    '<Protocol>',
    '<Type>WEB</Type>',
    ...web('External', 'https://mail.example.com', 'EXPR'),
    '</Protocol>',
  ]
  const store = (origin: string, side: string) => `<${side}>${origin}/mapi/emsmdb/?MailboxId=0b0c@example.com</${side}>`
  const book = (origin: string, side: string) => `<${side}>${origin}/mapi/nspi/?MailboxId=0b0c@example.com</${side}>`

  test('outside, for a client that says nothing of itself: EXPR and web mail', () => {
    expect(lines(outlookSettings(KIM, NOTHING))).toEqual([
      ...head,
      ...expr('EXPR', 'ntlm'),
      ...webOutside,
      '</Account>',
    ])
  })

  test('for one that knows a word for Negotiate', () => {
    const found = lines(outlookSettings(KIM, { ...NOTHING, negotiate: true }))
    expect(found).toContain('<AuthPackage>negotiate</AuthPackage>')
  })

  test('for one that speaks MAPI/HTTP and EXHTTP', () => {
    expect(lines(outlookSettings(KIM, { mapiHttp: true, negotiate: false, exHttp: true }))).toEqual([
      ...head,
      '<Protocol Type="mapiHttp" Version="1">',
      '<MailStore>',
      store('https://mail.example.com', 'ExternalUrl'),
      '</MailStore>',
      '<AddressBook>',
      book('https://mail.example.com', 'ExternalUrl'),
      '</AddressBook>',
      '</Protocol>',
      ...expr('EXHTTP', 'ntlm'),
      ...webOutside,
      '</Account>',
    ])
  })

  test('inside: EXCH with the names of the inside, and what holds when the client goes away', () => {
    expect(lines(outlookSettings({ ...KIM, internal: inside }, { ...NOTHING, mapiHttp: true }))).toEqual([
      ...head,
      '<Protocol Type="mapiHttp" Version="1">',
      '<MailStore>',
      store('https://cas.example.lan:8443', 'InternalUrl'),
      store('https://mail.example.com', 'ExternalUrl'),
      '</MailStore>',
      '<AddressBook>',
      book('https://cas.example.lan:8443', 'InternalUrl'),
      book('https://mail.example.com', 'ExternalUrl'),
      '</AddressBook>',
      '</Protocol>',
      '<Protocol>',
      '<Type>EXCH</Type>',
      '<Server>0b0c@example.com</Server>',
      '<AuthPackage>ntlm</AuthPackage>',
      ...services('https://cas.example.lan:8443'),
      ...expr('EXPR', 'ntlm'),
      '<Protocol>',
      '<Type>WEB</Type>',
      ...web('Internal', 'https://cas.example.lan:8443', 'EXCH'),
      ...web('External', 'https://mail.example.com', 'EXPR'),
      '</Protocol>',
      '</Account>',
    ])
  })

  test('the mail protocols, and where public folders are', () => {
    const offers = [offer('imap4', 993, 'implicit'), offer('imap4', 143, 'starttls'), offer('smtp', 587, 'starttls')]
    const settings = { ...KIM, external: undefined, offers, publicFolders: 'folders@example.com' }
    expect(lines(outlookSettings(settings, NOTHING))).toEqual([
      ...head,
      '<Protocol>',
      '<Type>IMAP</Type>',
      '<Server>imap4.example.com</Server>',
      '<Port>993</Port>',
      '<LoginName>kim@example.com</LoginName>',
      '<DomainRequired>off</DomainRequired>',
      '<SPA>off</SPA>',
      '<SSL>on</SSL>',
      '<Encryption>SSL</Encryption>',
      '<AuthRequired>on</AuthRequired>',
      '</Protocol>',
      '<Protocol>',
      '<Type>SMTP</Type>',
      '<Server>smtp.example.com</Server>',
      '<Port>587</Port>',
      '<LoginName>kim@example.com</LoginName>',
      '<DomainRequired>off</DomainRequired>',
      '<SPA>off</SPA>',
      '<SSL>off</SSL>',
      '<Encryption>TLS</Encryption>',
      '<AuthRequired>on</AuthRequired>',
      '<UsePOPAuth>off</UsePOPAuth>',
      '<SMTPLast>off</SMTPLast>',
      '</Protocol>',
      '<PublicFolderInformation>',
      '<SmtpAddress>folders@example.com</SmtpAddress>',
      '</PublicFolderInformation>',
      '</Account>',
    ])
  })

  test('another server', () => {
    expect(lines(outlookRedirectUrl('https://b.example.com/autodiscover/autodiscover.xml'))).toEqual([
      '<Account>',
      '<AccountType>email</AccountType>',
      '<Action>redirectUrl</Action>',
      '<RedirectUrl>https://b.example.com/autodiscover/autodiscover.xml</RedirectUrl>',
      '</Account>',
    ])
  })
})

describe('how clients are told to sign in to the RPC proxy', () => {
  test.each([
    [['negotiate', 'ntlm', 'basic'], false, 'ntlm'],
    [['negotiate', 'ntlm', 'basic'], true, 'negotiate'],
    [['basic'], true, 'basic'],
    [['negotiate'], false, 'kerb'],
  ] as const)('%j, Negotiate known: %s: %s', (auth, negotiate, expected) => {
    const { directories: own } = httpSchema.parse({ directories: [{ preset: 'rpc', auth }] })
    const external = httpPlaces(own, { host: 'mail.example.com', port: 443 }, EVERYTHING)
    const found = lines(outlookSettings({ ...KIM, external }, { ...NOTHING, negotiate }))
    expect(found).toContain(`<AuthPackage>${expected}</AuthPackage>`)
  })
})

describe('the mobilesync schema ([MS-ASCMD] section 2.2.1.1)', () => {
  const answer = (user: string, action: string) =>
    `<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="${BASE}/responseschema/2006"><Response xmlns="${BASE}/mobilesync/responseschema/2006"><Culture>en:us</Culture><User>${user}</User><Action>${action}</Action></Response></Autodiscover>
`
  test('settings', () => {
    const url = 'https://mail.example.com/Microsoft-Server-ActiveSync'
    expect(document(mobileSettings({ ...KIM, displayName: 'Kim' }))).toBe(
      answer(
        '<DisplayName>Kim</DisplayName><EMailAddress>kim@example.com</EMailAddress>',
        `<Settings><Server><Type>MobileSync</Type><Url>${url}</Url><Name>${url}</Name></Server></Settings>`,
      ),
    )
  })
  test('another address', () => {
    expect(document(mobileRedirect('kim@example.com', 'kim@other.example'))).toBe(
      answer('<EMailAddress>kim@example.com</EMailAddress>', '<Redirect>kim@other.example</Redirect>'),
    )
  })
  test('nothing to tell', () => {
    expect(document(mobileRefusal('kim@example.com', 'No.'))).toBe(
      answer(
        '<EMailAddress>kim@example.com</EMailAddress>',
        '<Error><Status>2</Status><Message>No.</Message><DebugData/></Error>',
      ),
    )
  })
})

test('what went wrong ([MS-OXDSCLI] section 2.2.4.1.2)', () => {
  const when = Date.UTC(2026, 10, 29, 21, 25, 4, 889)
  expect(lines(errorAnswer('invalid-request', { wallNow: when, hostname: 'mail.example.com' }))).toEqual([
    expect.stringMatching(/^<Error Time="21:25:04\.8890000" Id="\d{1,10}">$/),
    '<ErrorCode>600</ErrorCode>',
    '<Message>Invalid Request</Message>',
    '<DebugData/>',
    '</Error>',
  ])
})

describe('questions of the first version', () => {
  const ask = (inner: string, schema = 'outlook', scheme = 'http') =>
    `<Autodiscover xmlns="${scheme}://schemas.microsoft.com/exchange/autodiscover/${schema}/requestschema/2006"><Request>${inner}</Request></Autodiscover>`
  const wanted = (schema: string, scheme = 'http') =>
    `<AcceptableResponseSchema>${scheme}://schemas.microsoft.com/exchange/autodiscover/${schema}</AcceptableResponseSchema>`
  const KIM_ASKS = '<EMailAddress>kim@example.com</EMailAddress>'
  const invalid = { kind: 'bad', error: 'invalid-request' }
  test.each<[string, string, unknown]>([
    [
      'Outlook',
      ask(KIM_ASKS + wanted('outlook/responseschema/2006a')),
      { kind: 'asked', name: { address: 'kim@example.com' }, schema: 'outlook' },
    ],
    [
      'a device',
      ask(KIM_ASKS + wanted('mobilesync/responseschema/2006'), 'mobilesync'),
      { kind: 'asked', name: { address: 'kim@example.com' }, schema: 'mobilesync' },
    ],
    [
      'https in the namespaces',
      ask(KIM_ASKS + wanted('outlook/responseschema/2006a', 'https'), 'outlook', 'https'),
      { kind: 'asked', name: { address: 'kim@example.com' }, schema: 'outlook' },
    ],
    [
      'the name in the directory',
      ask('<LegacyDN>/o=Example/cn=kim</LegacyDN>'),
      { kind: 'asked', name: { legacyDn: '/o=Example/cn=kim' }, schema: 'outlook' },
    ],
    [
      'no schema that we know',
      ask(KIM_ASKS + wanted('other/responseschema/2006')),
      { kind: 'bad', error: 'no-provider' },
    ],
    ['no address', ask(''), invalid],
    ['no address that could be one', ask('<EMailAddress>kim</EMailAddress>'), invalid],
    ['an address with markup', ask('<EMailAddress>kim@&lt;b&gt;.example</EMailAddress>'), invalid],
    ['another root', '<Autodiscover/>', invalid],
    ['nothing', '', invalid],
  ])('%s', (_, body, expected) => expect(readPoxRequest(Buffer.from(body))).toEqual(expected))
})
