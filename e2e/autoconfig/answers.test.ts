// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateFolder, type Radicale, startRadicale, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { python, succeed } from '../lib/clients.js'
import { fetched } from '../lib/curl.js'
import { event } from '../lib/dav-items.js'
import { PORTICO, type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'
import { synchronised } from '../lib/vdirsyncer.js'

const needs = { programs: ['curl', 'openssl', 'python3', 'radicale', 'vdirsyncer'] }

/** Read by readers that are not ours: Python's XML and property lists, OpenSSL's signatures, a client of CalDAV. */
scenario('what clients find by themselves', needs, () => {
  let radicale: Radicale
  let portico: Portico<'http' | 'https'>
  const folder = privateFolder('find')

  beforeAll(async () => {
    const { server, ca } = testCertificates()
    radicale = await startRadicale({ users: { alice: 'alicepw', carol: 'carolpw' } })
    const http = { endpoints: [`http://127.0.0.1:${radicale.port}`] }
    const nowhere = { endpoints: ['127.0.0.1:9'] }
    const signer = join(folder, 'signer.pem')
    writeFileSync(signer, server.key + server.certificate + ca.certificate, { mode: 0o600 })
    portico = await startPortico({
      listeners: { http: { protocol: 'http', tls: 'none' }, https: { protocol: 'http', tls: 'implicit' } },
      users: ['alice:{PLAIN}alicepw:::Alice Example:::group=mbx', 'carol:{PLAIN}carolpw::::::group=dav'],
      backends: {
        // Mail is told of, and never opened here.
        mbx: { identity: 'password', imap4: nowhere, smtp: nowhere, http },
        dav: { identity: 'password', http },
      },
      more: {
        publish: {
          name: 'Test & Mail',
          domains: ['test.lan'],
          userName: 'alias',
          imap4: { port: 993 },
          smtp: { port: 465 },
          http: { host: 'localhost' },
        },
        http: {
          httpsUrl: 'https://localhost',
          profileSigner: { file: signer },
          directories: [
            { preset: 'autodiscover', auth: ['basic'] },
            {
              preset: 'caldav',
              mount: '/dav',
              backendPath: '/',
              prefixField: 'X-Script-Name',
              wellKnown: ['caldav', 'carddav'],
            },
          ],
        },
      },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await radicale?.stop()
  })

  const ask = (path: string, ...more: string[]) => fetched(`https://localhost:${portico.ports.https}${path}`, more)
  const SERVERS = `
import sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.argv[1].encode('latin1'))
for server in root.iter():
    if server.tag in ('incomingServer', 'outgoingServer', 'calendar', 'addressBook'):
        print(server.get('type'), *(child.text for child in server))
print(root.findtext('emailProvider/displayName'), root.findtext('emailProvider/domain'))
`

  test('autoconfig, as an XML reader sees it; unknown users get the same', async () => {
    const path = '/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress='
    const { status, body } = await ask(`${path}alice%40test.lan`)
    expect(status).toBe(200)
    expect((await python(SERVERS, body)).trim().split('\n')).toEqual([
      'imap portico.test.lan 993 SSL password-cleartext %EMAILLOCALPART%',
      'smtp portico.test.lan 465 SSL password-cleartext %EMAILLOCALPART%',
      'carddav %EMAILLOCALPART% http-basic https://localhost/dav/',
      'caldav %EMAILLOCALPART% http-basic https://localhost/dav/',
      'Test & Mail test.lan',
    ])
    expect((await ask(`${path}nobody%40test.lan`)).body).toBe(body)
    expect((await ask(`${path}alice%40elsewhere.example`)).status).toBe(404)
  })

  test('autoconfig by HTTP/2, and by HEAD', async () => {
    const path = '/mail/config-v1.1.xml?emailaddress=alice@test.lan'
    const { version, body } = await ask(path, '--http2')
    expect([version, body.length > 0]).toEqual(['2', true])
    const head = await ask(path, '--head', '--http1.1')
    expect([head.status, head.field('content-length'), head.body]).toEqual([200, String(body.length), ''])
  })

  /** The payloads of a profile whose signature has held. */
  async function profile(path: string, ...more: string[]): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { status, field, body } = await ask(path, ...more)
    expect([status, field('content-type')]).toEqual([200, 'application/x-apple-aspen-config'])
    const [signed, plain] = [join(folder, 'profile.p7'), join(folder, 'profile.plist')]
    writeFileSync(signed, body, 'latin1')
    const trusted = ['-CAfile', testCertificates().ca.certificateFile, '-purpose', 'any']
    await succeed('openssl', [
      'smime',
      '-verify',
      '-inform',
      'DER',
      '-binary',
      '-in',
      signed,
      ...trusted,
      '-out',
      plain,
    ])
    const program = 'import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], "rb"))))'
    const { PayloadContent } = JSON.parse(await python(program, plain))
    return PayloadContent
  }

  test.each(['--http1.1', '--http2'])('a signed profile for who signs in (%s)', async (version) => {
    const payloads = await profile('/autodiscover/account.mobileconfig', '-u', 'alice:alicepw', version)
    expect(payloads.map(({ PayloadType }) => PayloadType)).toEqual([
      'com.apple.mail.managed',
      'com.apple.caldav.account',
      'com.apple.carddav.account',
    ])
    expect(payloads[0]).toMatchObject({
      EmailAddress: 'alice@test.lan',
      EmailAccountName: 'Alice Example',
      IncomingMailServerUsername: 'alice',
    })
    expect((await ask('/autodiscover/account.mobileconfig', '-u', 'alice:wrong')).status).toBe(401)
  })

  test('a profile has nothing that its user has no server for', async () => {
    const payloads = await profile('/autodiscover/account.mobileconfig', '-u', 'carol:carolpw')
    expect(payloads.map(({ PayloadType }) => PayloadType)).toEqual([
      'com.apple.caldav.account',
      'com.apple.carddav.account',
    ])
  })

  test('a signed profile for an address, whoever asks', async () => {
    const [mail] = await profile('/autodiscover/mail.mobileconfig?address=kim@test.lan')
    expect(mail).toMatchObject({ EmailAddress: 'kim@test.lan', IncomingMailServerPortNumber: 993 })
    expect(mail).not.toHaveProperty('EmailAccountName')
  })

  test('a calendar program that knows the host alone comes to its calendars (RFC 6764 section 6)', async () => {
    const me = ['-u', 'alice:alicepw']
    expect((await ask('/dav/alice/work/', ...me, '-X', 'MKCALENDAR')).status).toBe(201)
    const put = ['-X', 'PUT', '-H', 'Content-Type: text/calendar', '--data-binary', event('one', 'lunch')]
    expect((await ask('/dav/alice/work/one.ics', ...me, ...put)).status).toBe(201)
    const near = synchronised({
      type: 'caldav',
      url: `https://localhost:${portico.ports.https}/`,
      user: 'alice',
      password: 'alicepw',
      ca: testCertificates().ca.certificateFile,
    })
    await near.discover()
    await near.sync()
    expect(Object.values(near.items('work')).join()).toContain('SUMMARY:lunch')
  })

  test.each(['OPTIONS', 'PROPFIND', 'GET', 'REPORT'])(
    '%s at the well-known name is led on, with and without a sign-in',
    async (method) => {
      for (const more of [[], ['-u', 'alice:alicepw']]) {
        const { status, field } = await ask('/.well-known/carddav', '-X', method, ...more)
        expect([status, field('location')]).toEqual([307, '/dav/'])
      }
      const led = await ask('/.well-known/carddav', '-X', method, '-L', '-u', 'alice:alicepw', '-H', 'Depth: 0')
      expect(led.status).toBe(method === 'PROPFIND' || method === 'REPORT' ? 207 : 200)
    },
  )

  test('port 80 leads to all of it', async () => {
    for (const path of [
      '/mail/config-v1.1.xml?emailaddress=alice@test.lan',
      '/autodiscover/mail.mobileconfig?address=alice@test.lan',
    ]) {
      const { status, field } = await fetched(`http://localhost:${portico.ports.http}${path}`)
      expect([status, field('location')]).toEqual([308, `https://localhost${path}`])
    }
  })

  test('the records of the DNS say the same', async () => {
    const text = (await succeed(process.execPath, [PORTICO, 'dns', '--config', portico.configFile])).replace(/ +/g, ' ')
    expect(text).toContain('_imaps._tcp.test.lan. SRV 0 1 993 portico.test.lan.\n')
    expect(text).toContain('_pop3s._tcp.test.lan. SRV 0 0 0 .\n')
    expect(text).toContain('_caldavs._tcp.test.lan. TXT "path=/dav/"\n')
    expect(text).toContain('autoconfig.test.lan. CNAME localhost.\n')
    expect(text).not.toContain('; no certificate')
  })
})
