// SPDX-License-Identifier: MIT
import { testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { succeed } from '../lib/clients.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'

scenario('Autodiscover', { programs: ['curl', 'xmllint'] }, () => {
  let portico: Portico<'http' | 'https'>
  beforeAll(async () => {
    portico = await startPortico({
      listeners: { http: { protocol: 'http', tls: 'none' }, https: { protocol: 'http', tls: 'implicit' } },
      users: ['alice:{PLAIN}alicepw:::Alice Example:::group=web mail=alice@example.com'],
      backends: { web: { identity: 'password', http: { endpoints: ['http://127.0.0.1:9'] } } },
      more: {
        publish: { host: 'mail.example.com', domains: ['example.com'], http: {} },
        http: { directories: [{ preset: 'autodiscover' }, { preset: 'ews' }] },
      },
    })
  })
  afterAll(() => portico?.stop())

  test('Outlook asks by the first version', async () => {
    const { ca } = testCertificates()
    const body =
      '<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>alice@example.com</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>'
    const answer = await succeed('curl', [
      '-sS',
      '-i',
      '--cacert',
      ca.certificateFile,
      '-u',
      'alice:alicepw',
      '-H',
      'Content-Type: text/xml',
      '-d',
      body,
      `https://localhost:${portico.ports.https}/Autodiscover/Autodiscover.xml`,
    ])
    expect(answer).toContain('<EwsUrl>https://mail.example.com/EWS/Exchange.asmx</EwsUrl>')
  })
})
