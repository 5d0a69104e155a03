// SPDX-License-Identifier: MIT
import { type Principal, Secret, systemClock } from '@portico/base'
import type { Offer, Publication } from '@portico/session'
import { createMemoryStore } from '@portico/state'
import { describe, expect, test } from 'vitest'
import { readXml, type XmlElement } from '../src/autodiscover/xml.js'
import { authenticatorOf } from './authenticator-of.js'
import { BASIC, Client, Front, type World } from './harness.js'

const offer = (protocol: Offer['protocol'], port: number): Offer => ({
  protocol,
  host: 'mail.example.com',
  port,
  tls: 'implicit',
  proofs: ['password'],
})

const PUBLICATION: Publication = {
  name: 'Example',
  domains: ['example.com'],
  userName: 'address',
  publicFolders: ['pf1@example.com', 'pf2@example.com'],
  isInside: (networks) => networks.includes('office'),
  offersFor: ({ networks }) =>
    networks.includes('office')
      ? [{ ...offer('http', 443), host: 'cas.example.lan' }]
      : [offer('imap4', 993), offer('pop3', 995), offer('smtp', 465), offer('http', 443)],
}

const SETTINGS = {
  directories: [
    { preset: 'autodiscover' },
    { preset: 'ews' },
    { preset: 'mapi' },
    { preset: 'activesync' },
    { preset: 'owa', group: 'web' },
  ],
}

/** Alice, whose account holds these fields. */
function site(fields: Readonly<Record<string, string>> = {}, more: World = {}): World {
  const principal: Principal = {
    authcid: 'alice',
    user: 'alice',
    mechanism: 'BASIC',
    strength: 'plain',
    proof: { password: new Secret('secret') },
    source: 'test',
    epoch: '1',
    fields: new Map(Object.entries(fields)),
  }
  return {
    settings: SETTINGS,
    services: { publication: PUBLICATION },
    login: (_, password) =>
      password === 'secret'
        ? { kind: 'authenticated', principal, deferred: more.deferred ?? false, settle: async () => {} }
        : undefined,
    ...more,
  }
}

interface Answered {
  readonly status: number
  readonly fields: string
  readonly text: string
}

async function ask(path: string, body: string, world: World, fields: readonly string[] = [BASIC]): Promise<Answered> {
  await using front = await Front.start((socket) => socket.destroy(), world)
  const client = await Client.connect(front.port)
  const length = `Content-Length: ${Buffer.byteLength(body)}`
  client.send(`POST ${path} HTTP/1.1`, 'Host: mail.example.com', ...fields, 'Connection: close', length, '', body)
  const answer = await client.toEnd()
  expect(front.errors).toEqual([])
  const end = answer.indexOf('\r\n\r\n')
  return { status: Number(answer.split(' ')[1]), fields: answer.slice(0, end), text: answer.slice(end + 4) }
}

const NAMESPACE = 'http://schemas.microsoft.com/exchange/autodiscover'

function pox(address: string, schema: 'outlook' | 'mobilesync' = 'outlook'): string {
  return `<Autodiscover xmlns="${NAMESPACE}/${schema}/requestschema/2006"><Request><EMailAddress>${address}</EMailAddress></Request></Autodiscover>`
}

/** Names of elements with their texts, those that hold others by their names alone. */
function told({ text }: Pick<Answered, 'text'>): readonly string[] {
  const root = readXml(Buffer.from(text))
  if (root === undefined) throw new Error(`not well-formed: ${text}`)
  const list = ({ name, text: own, children }: XmlElement): string[] =>
    children.length === 0 ? [`${name}: ${own}`] : children.flatMap(list)
  return list(root)
}

const asOutlook = async (address: string, world: World, ...fields: string[]) =>
  told(await ask('/Autodiscover/Autodiscover.xml', pox(address), world, [BASIC, ...fields]))

const code = (number: number) => expect.arrayContaining([`ErrorCode: ${number}`])

describe('whose settings are told', () => {
  const own = expect.arrayContaining(['Action: settings', 'EwsUrl: https://mail.example.com/EWS/Exchange.asmx'])
  const ELSE = { mail: 'alice.example@example.com,a@example.com' }
  test.each<[string, string, Readonly<Record<string, string>>, unknown]>([
    ['by the name of the account and a domain of the site', 'alice@example.com', {}, own],
    ['in any case', 'ALICE@Example.com', {}, own],
    ['by an address of the account', 'a@example.com', ELSE, own],
    ['by a place on a disk', 'alice@example.com', { mail: 'maildir:/srv/alice@example.com' }, own],
    ['by another domain', 'alice@elsewhere.example', {}, code(500)],
    ['somebody else, who exists', 'bob@example.com', {}, code(500)],
    ['somebody else, who does not', 'nobody@example.com', {}, code(500)],
    ['a mailbox of public folders', 'PF1@example.com', {}, expect.arrayContaining(['Action: settings'])],
  ])('%s', async (_, address, fields, expected) => expect(await asOutlook(address, site(fields))).toEqual(expected))

  test('somebody else and nobody cannot be told apart', async () => {
    const world = site({}, { mayActFor: () => false })
    const without = (list: readonly string[]) => list.join('\n')
    const answers = [await asOutlook('bob@example.com', world), await asOutlook('nobody@example.com', world)]
    expect(without(answers[0] ?? [])).toBe(without(answers[1] ?? []))
  })

  test('who may act for a mailbox may ask about it, if it is there', async () => {
    const mayActFor = (_: string, mailbox: string) => mailbox === 'sales@example.com'
    const found = await asOutlook('sales@example.com', site({ gecos: 'Alice' }, { mayActFor }))
    expect(found.slice(0, 2)).toEqual(['DisplayName: sales@example.com', 'AutoDiscoverSMTPAddress: sales@example.com'])
    expect(await asOutlook('sales@example.com', site({}, { mayActFor, locate: 'none' }))).toEqual(code(500))
  })

  test('the account says its name, its address, its mailbox and its public folders', async () => {
    const fields = {
      gecos: 'Alice Example,Room 1',
      mail: 'alice.example@example.com',
      mailbox_guid: '1b2c',
      public_folders: 'folders@example.com',
      legacy_dn: '/o=Example/cn=alice',
    }
    expect(await asOutlook('alice@example.com', site(fields), 'X-MapiHttpCapability: 1')).toEqual(
      expect.arrayContaining([
        'DisplayName: Alice Example',
        'LegacyDN: /o=Example/cn=alice',
        'AutoDiscoverSMTPAddress: alice.example@example.com',
        'ExternalUrl: https://mail.example.com/mapi/emsmdb/?MailboxId=1b2c@example.com',
        'SmtpAddress: folders@example.com',
      ]),
    )
  })

  test('who has no public folders of their own gets the same ones each time, and who shall have none gets none', async () => {
    const folders = async (fields = {}) =>
      (await asOutlook('alice@example.com', site(fields))).filter((line) => line.startsWith('SmtpAddress'))
    const [first = ''] = await folders()
    expect(PUBLICATION.publicFolders.map((address) => `SmtpAddress: ${address}`)).toContain(first)
    expect(await folders()).toEqual([first])
    expect(await folders({ public_folders: '' })).toEqual([])
  })
})

describe('what is told is live, permitted, and reached for this mailbox', () => {
  const types = (list: readonly string[]) => list.filter((line) => line.startsWith('Type: '))
  const ALL = ['Type: EXPR', 'Type: WEB', 'Type: EXPR', 'Type: IMAP', 'Type: POP3', 'Type: SMTP']
  test.each<[string, World, readonly string[]]>([
    ['everything', {}, ALL],
    [
      'a protocol that the account may not use',
      { mayUse: (_, protocol) => protocol !== 'pop3' },
      ALL.filter((one) => one !== 'Type: POP3'),
    ],
    [
      'a protocol that the servers of the mailbox do not speak',
      {
        decide: ({ protocol }) => (protocol === 'imap4' ? { kind: 'refuse', reason: 'protocol-disabled' } : undefined),
      },
      ALL.filter((one) => one !== 'Type: IMAP'),
    ],
    [
      'a directory that is drained',
      { states: new Map([['ews', 'draining']]) },
      ['Type: WEB', 'Type: IMAP', 'Type: POP3', 'Type: SMTP'],
    ],
    ['a mailbox that nobody has: directories of a group alone', { locate: 'none' }, ['Type: WEB']],
  ])('%s', async (_, more, expected) => {
    expect(types(await asOutlook('alice@example.com', site({}, more)))).toEqual(expected)
  })

  test('a protocol at another name', async () => {
    const decide: NonNullable<World['decide']> = ({ protocol }) =>
      protocol === 'imap4' ? { kind: 'redirect', how: 'referral', to: 'imap.b.example.com:1993' } : undefined
    expect(await asOutlook('alice@example.com', site({}, { decide }))).toEqual(
      expect.arrayContaining(['Server: imap.b.example.com', 'Port: 1993']),
    )
  })

  test('nothing at all', async () => {
    const nothing = { settings: { directories: [{ preset: 'autodiscover' }] }, mayUse: () => false }
    expect(await asOutlook('alice@example.com', site({}, nothing))).toEqual(code(601))
  })

  test('a lookup that is away', async () => {
    expect(await asOutlook('alice@example.com', site({}, { locate: 'unavailable' }))).toEqual(code(603))
  })

  test('a sign-in that only a backend could judge: what everybody may know', async () => {
    const fields = { gecos: 'Alice', redirect_address: 'alice@other.example' }
    const world = site(fields, { deferred: true, locate: 'unavailable', mayUse: () => false })
    expect(types(await asOutlook('alice@example.com', world))).toEqual(ALL)
    expect(await asOutlook('pf1@example.com', world)).toEqual(code(500))
  })

  test('such a sign-in does not tell which accounts there are: only a file of accounts knows that this name is one', async () => {
    const world = site({}, { deferred: true })
    const authenticator = { ...authenticatorOf(world, []), accountOf: () => 'alice' }
    expect(await asOutlook('kim@elsewhere.example', { ...world, authenticator })).toEqual(code(500))
    const proved = site()
    const own = await asOutlook('kim@elsewhere.example', {
      ...proved,
      authenticator: { ...authenticatorOf(proved, []), accountOf: () => 'alice' },
    })
    expect(own).toEqual(expect.arrayContaining(['Action: settings']))
  })
})

describe('who is elsewhere', () => {
  test('another address, until it is that which is asked for', async () => {
    const world = site({ redirect_address: 'alice@other.example' })
    expect(await asOutlook('alice@example.com', world)).toEqual([
      'AccountType: email',
      'Action: redirectAddr',
      'RedirectAddr: alice@other.example',
    ])
    const same = site({ redirect_address: 'alice@example.com' })
    expect(await asOutlook('alice@example.com', same)).toEqual(expect.arrayContaining(['Action: settings']))
  })

  const away =
    (to: string): NonNullable<World['decide']> =>
    ({ protocol }) =>
      protocol === 'http' ? { kind: 'redirect', how: 'autodiscover', to } : undefined

  test('another server, unless that is this one', async () => {
    expect(await asOutlook('alice@example.com', site({}, { decide: away('https://b.example.com') }))).toEqual([
      'AccountType: email',
      'Action: redirectUrl',
      'RedirectUrl: https://b.example.com/autodiscover/autodiscover.xml',
    ])
    const loop = site({}, { decide: away('https://mail.example.com') })
    expect(await asOutlook('alice@example.com', loop)).toEqual(expect.arrayContaining(['Action: settings']))
  })

  test('two servers that lead to each other are not asked for ever', async () => {
    const state = createMemoryStore({ clock: systemClock })
    const world = site({}, { decide: away('https://b.example.com'), state })
    for (let again = 0; again < 8; again += 1) {
      expect(await asOutlook('alice@example.com', world)).toContain('Action: redirectUrl')
    }
    expect(await asOutlook('alice@example.com', world)).toEqual(code(603))
  })

  test('a device is led on by a redirection', async () => {
    const world = site({}, { decide: away('https://b.example.com') })
    const answer = await ask('/autodiscover/autodiscover.xml', pox('alice@example.com', 'mobilesync'), world)
    expect(answer.status).toBe(302)
    expect(answer.fields).toContain('Location: https://b.example.com/autodiscover/autodiscover.xml')
  })
})

test('a device is told where ActiveSync is', async () => {
  const answer = await ask('/autodiscover/autodiscover.xml', pox('alice@example.com', 'mobilesync'), site())
  expect(told(answer)).toEqual([
    'Culture: en:us',
    'DisplayName: alice@example.com',
    'EMailAddress: alice@example.com',
    'Type: MobileSync',
    'Url: https://mail.example.com/Microsoft-Server-ActiveSync',
    'Name: https://mail.example.com/Microsoft-Server-ActiveSync',
  ])
})

describe('questions that are none', () => {
  test.each([
    ['nothing', ''],
    ['no XML', 'kim'],
    ['a DOCTYPE', `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${pox('alice@example.com')}`],
    ['another document', '<a/>'],
  ])('%s: 200 with 600', async (_, body) => {
    const answer = await ask('/autodiscover/autodiscover.xml', body, site())
    expect(answer.status).toBe(200)
    expect(answer.fields).toContain('Content-Type: text/xml; charset=utf-8')
    expect(told(answer)).toEqual(['ErrorCode: 600', 'Message: Invalid Request', 'DebugData: '])
  })

  test('a client that waits for leave to send its question gets it (RFC 9110 section 10.1.1)', async () => {
    await using front = await Front.start((socket) => socket.destroy(), site())
    const client = await Client.connect(front.port)
    const body = pox('alice@example.com')
    const length = `Content-Length: ${Buffer.byteLength(body)}`
    const head = ['POST /autodiscover/autodiscover.xml HTTP/1.1', 'Host: mail.example.com', BASIC, length]
    client.send(...head, 'Expect: 100-continue', '', '')
    await client.take('HTTP/1.1 100 Continue\r\n\r\n')
    client.send(body)
    expect(await client.take('</Autodiscover>')).toContain('<Action>settings</Action>')
    client.socket.destroy()
  })

  test('a body that is too long', async () => {
    expect((await ask('/autodiscover/autodiscover.xml', ' '.repeat(65 * 1024), site())).status).toBe(413)
  })

  test('nobody has signed in, or with a wrong password', async () => {
    expect((await ask('/autodiscover/autodiscover.xml', pox('alice@example.com'), site(), [])).status).toBe(401)
    const wrong = `Authorization: Basic ${Buffer.from('alice:wrong').toString('base64')}`
    expect((await ask('/autodiscover/autodiscover.svc', '', site(), [wrong])).status).toBe(401)
  })
})

const A = 'http://schemas.microsoft.com/exchange/2010/Autodiscover'

function soap(operation: string, inner: string, envelope = 'http://schemas.xmlsoap.org/soap/envelope/'): string {
  return `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:a="${A}" xmlns:wsa="http://www.w3.org/2005/08/addressing" xmlns:soap="${envelope}"><soap:Header><a:RequestedServerVersion>Exchange2013</a:RequestedServerVersion><wsa:Action>${A}/Autodiscover/${operation}</wsa:Action></soap:Header><soap:Body><a:${operation}RequestMessage><a:Request>${inner}</a:Request></a:${operation}RequestMessage></soap:Body></soap:Envelope>`
}

const users = (...names: string[]) =>
  `<a:Users>${names.map((name) => `<a:User><a:Mailbox>${name}</a:Mailbox></a:User>`).join('')}</a:Users>`
const wanted = (...names: string[]) =>
  `<a:RequestedSettings>${names.map((name) => `<a:Setting>${name}</a:Setting>`).join('')}</a:RequestedSettings>`

describe('the SOAP form ([MS-OXWSADISC])', () => {
  test('a whole answer: each user and each setting has its own outcome', async () => {
    const question =
      users('alice@example.com', 'nobody@example.com') +
      wanted('ExternalEwsUrl', 'ExternalImap4Connections', 'InternalEwsUrl', 'Magic')
    const { status, text } = await ask('/autodiscover/autodiscover.svc', soap('GetUserSettings', question), site())
    expect(status).toBe(200)
    const error = (name: string, code: string, message: string) =>
      `<UserSettingError><ErrorCode>${code}</ErrorCode><ErrorMessage>${message}</ErrorMessage><SettingName>${name}</SettingName></UserSettingError>`
    expect(text.slice(text.indexOf('<s:Body>'))).toBe(
      `${[
        `<s:Body><GetUserSettingsResponseMessage xmlns="${A}"><Response xmlns:i="http://www.w3.org/2001/XMLSchema-instance">`,
        '<ErrorCode>NoError</ErrorCode><ErrorMessage>No error.</ErrorMessage><UserResponses>',
        '<UserResponse><ErrorCode>NoError</ErrorCode><ErrorMessage>No error.</ErrorMessage><RedirectTarget i:nil="true"/>',
        '<UserSettingErrors>',
        error('InternalEwsUrl', 'SettingIsNotAvailable', 'The setting is not available.'),
        error('Magic', 'InvalidSetting', 'Invalid setting.'),
        '</UserSettingErrors><UserSettings>',
        '<UserSetting i:type="StringSetting"><Name>ExternalEwsUrl</Name><Value>https://mail.example.com/EWS/Exchange.asmx</Value></UserSetting>',
        '<UserSetting i:type="ProtocolConnectionCollectionSetting"><Name>ExternalImap4Connections</Name><ProtocolConnections>',
        '<ProtocolConnection><EncryptionMethod>SSL</EncryptionMethod><Hostname>mail.example.com</Hostname><Port>993</Port></ProtocolConnection>',
        '</ProtocolConnections></UserSetting></UserSettings></UserResponse>',
        '<UserResponse><ErrorCode>InvalidUser</ErrorCode><ErrorMessage>Invalid user.</ErrorMessage><RedirectTarget i:nil="true"/>',
        '<UserSettingErrors/><UserSettings/></UserResponse></UserResponses>',
        '</Response></GetUserSettingsResponseMessage></s:Body></s:Envelope>',
      ].join('')}\n`,
    )
  })

  test.each<[string, string, World, readonly string[]]>([
    [
      'another address',
      users('alice@example.com'),
      site({ redirect_address: 'alice@other.example' }),
      ['ErrorCode: RedirectAddress', 'RedirectTarget: alice@other.example'],
    ],
    [
      'another server',
      users('alice@example.com'),
      site(
        {},
        {
          decide: ({ protocol }) =>
            protocol === 'http' ? { kind: 'redirect', how: 'autodiscover', to: 'https://b.example.com' } : undefined,
        },
      ),
      ['ErrorCode: RedirectUrl', 'RedirectTarget: https://b.example.com/autodiscover/autodiscover.svc'],
    ],
    [
      'a lookup that is away',
      users('alice@example.com'),
      site({}, { locate: 'unavailable' }),
      ['ErrorCode: ServerBusy'],
    ],
    ['no address', users('alice'), site(), ['ErrorCode: InvalidUser']],
    ['nobody', users(), site(), ['ErrorCode: InvalidRequest']],
    ['too many', users(...Array(101).fill('alice@example.com')), site(), ['ErrorCode: InvalidRequest']],
  ])('%s', async (_, inner, world, expected) => {
    const question = soap('GetUserSettings', inner + wanted('UserDisplayName'))
    expect(told(await ask('/autodiscover/autodiscover.svc', question, world))).toEqual(
      expect.arrayContaining([...expected]),
    )
  })

  test.each<[string, readonly string[]]>([
    ['more settings than there are', Array.from({ length: 101 }, (_, index) => `S${index}`)],
    ['a setting with an endless name', ['x'.repeat(65)]],
  ])('a short question does not get a long answer: %s', async (_, names) => {
    for (const [operation, subjects] of [
      ['GetUserSettings', users('alice@example.com')],
      ['GetDomainSettings', '<a:Domains><a:Domain>example.com</a:Domain></a:Domains>'],
    ] as const) {
      const question = soap(operation, subjects + wanted(...names))
      expect(told(await ask('/autodiscover/autodiscover.svc', question, site()))).toContain('ErrorCode: InvalidRequest')
    }
  })

  test('a question about many who are elsewhere is one step of its user on the way there', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `room${index}@example.com`)
    const decide: World['decide'] = ({ protocol }) =>
      protocol === 'http' ? { kind: 'redirect', how: 'autodiscover', to: 'https://b.example.com' } : undefined
    const world = site({}, { decide, mayActFor: () => true, state: createMemoryStore({ clock: systemClock }) })
    const question = soap('GetUserSettings', users(...names) + wanted('ExternalEwsUrl'))
    const redirected = async () =>
      told(await ask('/autodiscover/autodiscover.svc', question, world)).filter(
        (one) => one === 'ErrorCode: RedirectUrl',
      )
    for (let again = 0; again < 8; again += 1) expect(await redirected()).toHaveLength(names.length)
    expect(await redirected()).toEqual([])
  })

  test('the version of SOAP is the client’s', async () => {
    const newer = 'http://www.w3.org/2003/05/soap-envelope'
    const question = soap('GetUserSettings', users('alice@example.com') + wanted('UserDisplayName'), newer)
    const { fields, text } = await ask('/autodiscover/autodiscover.svc', question, site())
    expect(text).toContain(`<s:Envelope xmlns:s="${newer}"`)
    expect(fields).toContain('Content-Type: application/soap+xml; charset=utf-8')
  })

  test('domains have no settings of their own, and others are not ours', async () => {
    const question = soap(
      'GetDomainSettings',
      `<a:Domains><a:Domain>example.com</a:Domain><a:Domain>other.example</a:Domain></a:Domains>${wanted('ExternalEwsUrl')}`,
    )
    const codes = told(await ask('/autodiscover/autodiscover.svc', question, site())).filter((one) =>
      one.startsWith('ErrorCode'),
    )
    expect(codes).toEqual(
      ['NoError', 'NoError', 'SettingIsNotAvailable', 'InvalidDomain'].map((one) => `ErrorCode: ${one}`),
    )
  })

  test.each([
    ['nothing', ''],
    ['no message', '<a/>'],
    ['an operation that there is not', soap('GetFederationInformation', '')],
    ['no operation', '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>'],
  ])('%s is a fault', async (_, body) => {
    const answer = await ask('/autodiscover/autodiscover.svc', body, site())
    expect(answer.status).toBe(500)
    expect(told(answer)[0]).toBe('faultcode: s:Client')
  })
})
