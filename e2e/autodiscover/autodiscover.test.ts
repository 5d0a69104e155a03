// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateFolder, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { succeed } from '../lib/clients.js'
import { PORTICO, type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'

const SCHEMAS = 'http://schemas.microsoft.com/exchange/autodiscover'

const pox = (address: string, schema = 'outlook', response = `${schema}/responseschema/2006`) =>
  `<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="${SCHEMAS}/${schema}/requestschema/2006">
  <Request>
    <EMailAddress>${address}</EMailAddress>
    <AcceptableResponseSchema>${SCHEMAS}/${response}</AcceptableResponseSchema>
  </Request>
</Autodiscover>`

const outlook = (address: string) => pox(address, 'outlook', 'outlook/responseschema/2006a')

const soap = (address: string, ...settings: string[]) =>
  `<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:a="http://schemas.microsoft.com/exchange/2010/Autodiscover" xmlns:wsa="http://www.w3.org/2005/08/addressing" xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">
  <soap:Header>
    <a:RequestedServerVersion>Exchange2013</a:RequestedServerVersion>
    <wsa:Action>http://schemas.microsoft.com/exchange/2010/Autodiscover/Autodiscover/GetUserSettings</wsa:Action>
    <wsa:To>https://mail.example.com/autodiscover/autodiscover.svc</wsa:To>
  </soap:Header>
  <soap:Body>
    <a:GetUserSettingsRequestMessage>
      <a:Request>
        <a:Users><a:User><a:Mailbox>${address}</a:Mailbox></a:User></a:Users>
        <a:RequestedSettings>${settings.map((name) => `<a:Setting>${name}</a:Setting>`).join('')}</a:RequestedSettings>
      </a:Request>
    </a:GetUserSettingsRequestMessage>
  </soap:Body>
</soap:Envelope>`

scenario('Autodiscover', { programs: ['curl', 'xmllint'] }, () => {
  let portico: Portico<'http' | 'https' | 'imaps'>
  const folder = privateFolder('autodiscover')
  let answers = 0

  const http = () => ({
    httpsUrl: `https://localhost:${portico.ports.https}`,
    directories: ['autodiscover', 'ews', 'mapi', 'activesync', 'oab', 'owa'].map((preset) => ({
      preset,
      auth: ['basic'],
    })),
  })

  beforeAll(async () => {
    portico = await startPortico({
      listeners: {
        http: { protocol: 'http', tls: 'none' },
        https: { protocol: 'http', tls: 'implicit' },
        imaps: { protocol: 'imap4', tls: 'implicit' },
      },
      users: [
        'alice:{PLAIN}alicepw:::Alice Example:::group=mbx mail=alice@example.com,a.example@example.com',
        'bob:{PLAIN}bobpassword::::::group=mbx protocols=http',
        'carol:{PLAIN}carolpw::::::group=mbx redirect_address=carol@other.example',
        'sales@example.com:{PLAIN}salespw:::Sales:::group=mbx',
        'dora:{PLAIN}dorapw::::::group=web',
      ],
      backends: {
        mbx: {
          identity: 'password',
          http: { endpoints: ['http://127.0.0.1:9'] },
          imap4: { endpoints: ['127.0.0.1:9'] },
        },
        web: { identity: 'password', http: { endpoints: ['http://127.0.0.1:9'] } },
      },
      more: {
        networks: { office: ['127.0.0.2/32'] },
        publish: {
          name: 'Example Mail',
          domains: ['example.com'],
          host: 'mail.example.com',
          http: {},
          imap4: {},
          internal: { networks: ['office'], host: 'cas.example.lan' },
        },
        auth: { actingFor: [{ users: ['alice'], mailboxes: ['sales@example.com'] }] },
      },
    })
    await reloadWith({})
  })
  afterAll(() => portico?.stop())

  async function reloadWith(more: object): Promise<void> {
    portico.rewrite({ ...portico.config, http: http(), ...more })
    await succeed(process.execPath, [PORTICO, 'reload', '--config', portico.configFile])
  }

  /** What curl gets: status, and the body. */
  async function curl(path: string, ...more: string[]): Promise<{ status: number; body: string }> {
    const { ca } = testCertificates()
    const shared = ['-sS', '--cacert', ca.certificateFile, '-w', '\n%{http_code}']
    const written = await succeed('curl', [...shared, ...more, `https://localhost:${portico.ports.https}${path}`])
    const end = written.lastIndexOf('\n')
    return { status: Number(written.slice(end + 1)), body: written.slice(0, end) }
  }

  /** Posts a question as somebody; the answer has been found well-formed by somebody else than us. */
  async function post(path: string, user: string, question: string, ...more: string[]): Promise<string> {
    const answer = await curl(path, '-u', user, '-H', 'Content-Type: text/xml', '--data-binary', question, ...more)
    expect(answer).toMatchObject({ status: 200 })
    await wellFormed(answer.body)
    return answer.body
  }

  async function wellFormed(text: string): Promise<void> {
    answers += 1
    // Answers come at the same time.
    const file = join(folder, `answer-${answers}.xml`)
    writeFileSync(file, text)
    await succeed('xmllint', ['--noout', '--nonet', file])
  }

  const XML = '/autodiscover/autodiscover.xml'
  const ALICE = 'alice:alicepw'

  describe('Outlook', () => {
    test('gets what is reached from everywhere, in any case of the path and by either version of HTTP', async () => {
      for (const version of ['--http1.1', '--http2']) {
        const answer = await post('/AutoDiscover/AutoDiscover.xml', ALICE, outlook('alice@example.com'), version)
        expect(answer).toBe(
          `<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="${SCHEMAS}/responseschema/2006"><Response xmlns="${SCHEMAS}/outlook/responseschema/2006a">${[
            '<User><DisplayName>Alice Example</DisplayName><AutoDiscoverSMTPAddress>alice@example.com</AutoDiscoverSMTPAddress></User>',
            '<Account><AccountType>email</AccountType><Action>settings</Action>',
            '<Protocol><Type>EXPR</Type><SSL>On</SSL><AuthPackage>basic</AuthPackage>',
            '<ASUrl>https://mail.example.com/EWS/Exchange.asmx</ASUrl>',
            '<EwsUrl>https://mail.example.com/EWS/Exchange.asmx</EwsUrl>',
            '<OOFUrl>https://mail.example.com/EWS/Exchange.asmx</OOFUrl>',
            '<OABUrl>https://mail.example.com/OAB/</OABUrl></Protocol>',
            '<Protocol><Type>WEB</Type><External><OWAUrl AuthenticationMethod="Basic">https://mail.example.com/owa/</OWAUrl>',
            '<Protocol><Type>EXPR</Type><ASUrl>https://mail.example.com/EWS/Exchange.asmx</ASUrl></Protocol></External></Protocol>',
            '<Protocol><Type>IMAP</Type><Server>mail.example.com</Server><Port>993</Port><LoginName>alice</LoginName>',
            '<DomainRequired>off</DomainRequired><SPA>off</SPA><SSL>on</SSL><Encryption>SSL</Encryption><AuthRequired>on</AuthRequired></Protocol>',
            '</Account>',
          ].join('')}</Response></Autodiscover>
`,
        )
      }
    })

    test('that speaks MAPI/HTTP gets that', async () => {
      const headers = ['-H', 'X-MapiHttpCapability: 1', '-H', 'X-ClientCanHandle: Negotiate,ExHttpInfo']
      const answer = await post(XML, ALICE, outlook('A.Example@example.com'), ...headers)
      expect(answer).toContain(
        '<Protocol Type="mapiHttp" Version="1"><MailStore><ExternalUrl>https://mail.example.com/mapi/emsmdb/?MailboxId=alice@example.com</ExternalUrl></MailStore>',
      )
      expect(answer).toContain('<Type>EXHTTP</Type>')
      expect(answer).not.toContain('cas.example.lan')
    })

    test('inside gets the names of the inside, too', async () => {
      const answer = await post(XML, ALICE, outlook('alice@example.com'), '--interface', '127.0.0.2')
      expect(answer).toContain('<Type>EXCH</Type>')
      expect(answer).toContain('<EwsUrl>https://cas.example.lan/EWS/Exchange.asmx</EwsUrl>')
      expect(answer).toContain('<EwsUrl>https://mail.example.com/EWS/Exchange.asmx</EwsUrl>')
    })

    test('may ask for who it may act for, and for nobody else, who may exist or not', async () => {
      const sales = await post(XML, ALICE, outlook('sales@example.com'))
      expect(sales).toContain('<AutoDiscoverSMTPAddress>sales@example.com</AutoDiscoverSMTPAddress>')
      expect(await post(XML, 'bob:bobpassword', outlook('sales@example.com'))).toContain('<ErrorCode>500</ErrorCode>')
      const errors = await Promise.all(
        ['bob@example.com', 'nobody@example.com'].map(async (address) =>
          (await post(XML, ALICE, outlook(address))).replace(/Time="[^"]*"/, ''),
        ),
      )
      expect(errors[0]).toContain('<ErrorCode>500</ErrorCode>')
      expect(errors[1]).toBe(errors[0])
    })

    test('is not told what its user may not use, or what no server of the mailbox speaks', async () => {
      expect(await post(XML, 'bob:bobpassword', outlook('bob@example.com'))).not.toContain('IMAP')
      expect(await post(XML, 'dora:dorapw', outlook('dora@example.com'))).not.toContain('IMAP')
    })

    test('is led to another address', async () => {
      expect(await post(XML, 'carol:carolpw', outlook('carol@example.com'))).toContain(
        '<Action>redirectAddr</Action><RedirectAddr>carol@other.example</RedirectAddr>',
      )
    })
  })

  test('what is out of service is not told of, and comes back', async () => {
    await reloadWith({ components: { ews: 'inactive', imap4: 'inactive' } })
    const without = await post(XML, ALICE, outlook('alice@example.com'))
    expect(without).not.toContain('EWS')
    expect(without).not.toContain('IMAP')
    await reloadWith({})
    expect(await post(XML, ALICE, outlook('alice@example.com'))).toContain('<Type>IMAP</Type>')
  })

  test('a device finds ActiveSync', async () => {
    const answer = await post(XML, ALICE, pox('alice@example.com', 'mobilesync'))
    expect(answer).toContain(
      '<Server><Type>MobileSync</Type><Url>https://mail.example.com/Microsoft-Server-ActiveSync</Url>',
    )
  })

  test('a program asks by SOAP', async () => {
    const question = soap('alice@example.com', 'UserDisplayName', 'ExternalEwsUrl', 'InternalEwsUrl')
    const answer = await post('/autodiscover/autodiscover.svc', ALICE, question)
    expect(answer).toContain('<Name>UserDisplayName</Name><Value>Alice Example</Value>')
    expect(answer).toContain('<Name>ExternalEwsUrl</Name><Value>https://mail.example.com/EWS/Exchange.asmx</Value>')
    expect(answer).toContain('<SettingName>InternalEwsUrl</SettingName>')
    expect(await post('/autodiscover/autodiscover.svc', ALICE, soap('bob@example.com', 'UserDisplayName'))).toContain(
      '<UserResponse><ErrorCode>InvalidUser</ErrorCode>',
    )
  })

  test('a program asks by the second version, without a sign-in', async () => {
    const ask = (who: string) => curl(`/autodiscover/autodiscover.json?Email=${who}&Protocol=ActiveSync`)
    const answer = await ask('alice@example.com')
    expect(JSON.parse(answer.body)).toEqual({
      Protocol: 'ActiveSync',
      Url: 'https://mail.example.com/Microsoft-Server-ActiveSync',
    })
    expect(await ask('nobody@example.com')).toEqual(answer)
  })

  test('an admin opens the page, and signs in to see 600', async () => {
    expect((await curl(XML)).status).toBe(401)
    const { status, body } = await curl(XML, '-u', ALICE)
    expect(status).toBe(200)
    await wellFormed(body)
    expect(body).toContain('<ErrorCode>600</ErrorCode><Message>Invalid Request</Message><DebugData/>')
  })

  test('a document with entities is not read', async () => {
    const question = `<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>${outlook('&e;')}`
    expect(await post(XML, ALICE, question)).toContain('<ErrorCode>600</ErrorCode>')
  })

  test('who asks without encryption is led to the encrypted side by 302, which is all that Outlook takes', async () => {
    const found = await succeed('curl', [
      '-sS',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code} %{redirect_url}',
      `http://localhost:${portico.ports.http}/autodiscover/autodiscover.xml`,
    ])
    expect(found).toBe(`302 https://localhost:${portico.ports.https}${XML}`)
  })
})
