// SPDX-License-Identifier: MIT
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect, constants } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Fetched, fetched } from '../lib/curl.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'

const EAS = '/Microsoft-Server-ActiveSync'
/** v140, Sync, v140Device, SmartPhone ([MS-ASHTTP] section 4). */
const BASE64 = 'jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l'

/** A mailbox server that says which it is and whom it takes a request to be from; Ping waits until it is told to answer. */
class MailboxServer {
  readonly pings: { readonly request: IncomingMessage; answer(): void }[] = []
  readonly #server: Server
  left = 0

  constructor(name: string) {
    this.#server = createServer((request, response) => {
      const said = `${name} ${request.headers['x-user']} ${request.method} ${request.url}`
      const answer = () => void response.end(said)
      if (!request.url?.includes('Cmd=Ping')) return answer()
      response.on('close', () => {
        if (!response.writableFinished) this.left += 1
      })
      this.pings.push({ request, answer })
    })
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

scenario('requests that name another mailbox, and devices', { programs: ['curl', 'openssl'] }, () => {
  const [first, second] = [new MailboxServer('one'), new MailboxServer('two')]
  let portico: Portico<'https'>

  beforeAll(async () => {
    await Promise.all([first.start(), second.start()])
    const group = (server: MailboxServer) => ({
      identity: { header: { name: 'X-User' } },
      http: { endpoints: [server.endpoint] },
    })
    portico = await startPortico({
      listeners: { https: { protocol: 'http', tls: 'implicit' } },
      users: [
        'alice@test.lan:{PLAIN}alicepw::::::group=one destuser=al1ce',
        'carol@test.lan:{PLAIN}carolpw::::::group=one',
        'dave@test.lan:{PLAIN}davepw::::::group=one disabled',
        'boss@test.lan:{PLAIN}bosspw::::::group=two destuser=b0ss',
      ],
      backends: { one: group(first), two: group(second) },
      more: {
        auth: {
          names: { defaultDomain: 'test.lan', domains: { TEST: 'test.lan' } },
          actingFor: [{ users: ['alice@test.lan'], mailboxes: ['boss@test.lan'] }],
        },
        http: {
          directories: ['owa', 'ews', 'mapi', 'activesync', 'caldav'].map((preset) => ({ preset, auth: ['basic'] })),
          activeSync: { requestsAtOnce: 1 },
        },
      },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await Promise.all([first.stop(), second.stop()])
  })

  const ask = (user: string, path: string, ...more: readonly string[]): Promise<Fetched> =>
    fetched(`https://localhost:${portico.ports.https}${path}`, [
      '-u',
      `${user}:${user.replace(/^.*\\|@.*$/g, '')}pw`,
      ...more,
    ])

  const PLACES: readonly (readonly [string, string, ...string[]])[] = [
    ['a field', '/EWS/Exchange.asmx', '-H', 'X-AnchorMailbox: boss@test.lan'],
    ['the field of public folders', '/EWS/Exchange.asmx', '-H', 'X-PublicFolderMailbox: Boss@TEST.lan'],
    ['explicit logon', '/owa/boss@test.lan/?ae=Folder'],
    ['MailboxId', '/mapi/emsmdb/?MailboxId=boss@test.lan'],
    ['the user of a device', `${EAS}?Cmd=Sync&User=TEST%5Cboss&DeviceId=D1&DeviceType=T`, '-X', 'POST'],
    ['a field over HTTP/1.1', '/EWS/Exchange.asmx', '--http1.1', '-H', 'X-AnchorMailbox: boss@test.lan'],
  ]

  test.each(PLACES)(
    '%s leads who may act for it to the server of that mailbox, as themselves',
    async (_, path, ...more) => {
      expect((await ask('alice@test.lan', path, ...more)).body).toMatch(/^two al1ce /)
    },
  )

  test.each(PLACES)('%s leads others to their own server', async (_, path, ...more) => {
    const said = await ask('carol@test.lan', path, ...more)
    expect(said.body).toMatch(/^one carol@test\.lan /)
    expect(said.body).toMatch(new RegExp(`${path.replace(/[?\\^$.*+]/g, '\\$&')}$`))
  })

  test('where clients do not write such things nobody looks for them', async () => {
    const said = await ask('alice@test.lan', '/caldav/boss@test.lan/', '-H', 'X-AnchorMailbox: boss@test.lan')
    expect(said.body).toMatch(/^one al1ce /)
  })

  test('who signs in for another mailbox is there, whatever else is named', async () => {
    const said = await fetched(`https://localhost:${portico.ports.https}/owa/carol@test.lan/`, [
      '-u',
      'alice@test.lan/boss@test.lan:alicepw',
    ])
    expect(said.body).toMatch(/^two b0ss /)
  })

  describe('devices', () => {
    const device = (user: string, query: string, ...more: readonly string[]) =>
      ask(user, `${EAS}?${query}`, '-X', 'POST', ...more)

    test('both forms of the query pass as they came, and the log says which device it was', async () => {
      expect((await device('carol@test.lan', BASE64)).body).toBe(`one carol@test.lan POST ${EAS}?${BASE64}`)
      const line = await portico.logged(/carol@test\.lan.*v140Device.*"message":"device"/)
      expect(JSON.parse(line)).toMatchObject({
        user: 'carol@test.lan',
        device: 'v140Device',
        type: 'SmartPhone',
        version: '14.0',
      })
    })

    test('OPTIONS passes without a query', async () => {
      expect((await ask('carol@test.lan', EAS, '-X', 'OPTIONS')).status).toBe(200)
    })

    test('a barred account is told 456 here, and 403 elsewhere; a wrong password 401', async () => {
      expect((await device('dave@test.lan', BASE64)).status).toBe(456)
      expect((await ask('dave@test.lan', '/EWS/')).status).toBe(403)
      const wrong = await fetched(`https://localhost:${portico.ports.https}${EAS}`, [
        '-u',
        'carol@test.lan:no',
        '-X',
        'POST',
      ])
      expect([wrong.status, wrong.field('www-authenticate')]).toEqual([401, expect.stringContaining('Basic')])
    })

    test('a query that two servers could read differently is refused', async () => {
      expect((await device('carol@test.lan', 'Cmd=Sync&Cmd=Ping&DeviceId=D1')).status).toBe(400)
    })

    test('a Ping that was left behind ends for the next one, also where both are streams of HTTP/2', async () => {
      const authority = `https://localhost:${portico.ports.https}`
      const session = connect(authority, { ca: testCertificates().ca.certificate })
      const authorization = `Basic ${Buffer.from('carol@test.lan:carolpw').toString('base64')}`
      const ping = () =>
        session.request({ ':method': 'POST', ':path': `${EAS}?Cmd=Ping&DeviceId=P1&DeviceType=T`, authorization }).end()
      const old = ping()
      const ended = new Promise((resolve) => old.on('error', () => undefined).once('close', () => resolve(old.rstCode)))
      await eventually(() => expect(first.pings.length).toBe(1))
      const fresh = ping()
      const status = new Promise((resolve) => fresh.once('response', (head) => resolve(head[':status'])))
      await eventually(() => expect(first.pings.length).toBe(2))
      expect(await ended).not.toBe(constants.NGHTTP2_NO_ERROR)
      await eventually(() => expect(first.left).toBe(1))
      first.pings[1]?.answer()
      expect(await status).toBe(200)
      session.close()
    })
  })
})
