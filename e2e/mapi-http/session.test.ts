// SPDX-License-Identifier: MIT
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answeredRops, CODE } from '../lib/mapi-words.js'
import { scenario } from '../lib/scenario.js'
import { EMSMDB, MapiStage } from './stage.js'

const MEGABYTE = 1024 ** 2
const WAIT = Buffer.from('wait')

/** The mailbox servers are stand-ins: they keep the rules of [MS-OXCMAPIHTTP] that a front end can break. */
scenario('MAPI over HTTP', { programs: ['openssl'] }, () => {
  const stage = new MapiStage()
  beforeAll(() => stage.start())
  afterAll(() => stage[Symbol.asyncDispose]())

  describe('a session', () => {
    test('from Connect to Disconnect, with the cookies and fields of both sides as they were', async () => {
      const { client, home } = await stage.connected('alice@test.lan')
      const [context, sequence] = ['MapiContext', 'MapiSequence'].map((name) => client.identity.cookies.get(name))
      const rops = randomBytes(500)
      const executed = await client.ask('Execute', { rops, fields: 'X-DeviceInfo: between\r\n' })
      expect(executed).toMatchObject({ status: 200, code: CODE.success })
      expect(answeredRops(executed.body)).toEqual(rops)
      expect(Object.fromEntries(executed.fields)).toMatchObject({
        'content-type': 'application/mapi-http',
        'x-requesttype': 'Execute',
        'x-requestid': client.requestId,
        'x-clientinfo': '{client}:1',
        'x-responsecode': '0',
        'x-serverapplication': 'StandIn/15.01.0001.000',
        'x-pendingperiod': '15000',
        'x-expirationinfo': '900000',
        'x-deviceinfo': home.name,
      })
      expect(executed.fields.has('content-encoding')).toBe(false)
      expect(home.arrivals.at(-1)).toMatchObject({
        type: 'Execute',
        user: 'alice@test.lan',
        url: `${EMSMDB}alice@test.lan`,
        headers: {
          cookie: `MapiContext=${context}; MapiSequence=${sequence}`,
          'content-type': 'application/mapi-http',
          'x-requestid': client.requestId,
          'x-clientinfo': '{client}:1',
          'x-clientapplication': 'Outlook/15.0.4815.1002',
          'x-deviceinfo': 'between',
        },
      })
      // The sequence cookie is another each time: an old one would be refused.
      expect(client.identity.cookies.get('MapiSequence')).not.toBe(sequence)
      for (const type of ['Execute', 'PING', 'Execute', 'Disconnect'] as const) {
        expect(await client.ask(type), type).toMatchObject({ status: 200, code: CODE.success })
      }
      expect(await client.ask('Execute')).toMatchObject({ code: CODE.contextNotFound })
    })

    test('with the address book', async () => {
      const client = await stage.open('alice@test.lan', '/mapi/nspi/?MailboxId=alice@test.lan')
      for (const type of ['Bind', 'PING', 'Unbind'] as const) {
        expect(await client.ask(type), type).toMatchObject({ status: 200, code: CODE.success })
      }
    })

    test('large buffers pass as they are, in both directions', async () => {
      const { client } = await stage.connected('alice@test.lan')
      const rops = randomBytes(3 * MEGABYTE)
      expect(answeredRops((await client.ask('Execute', { rops })).body).equals(rops)).toBe(true)
    })

    test('what the server refuses it says itself', async () => {
      const { client, home } = await stage.connected('alice@test.lan')
      const { cookies } = client.identity
      const stale = new Map(cookies)
      expect((await client.ask('Execute')).code).toBe(CODE.success)
      expect((await client.ask('Execute', { cookies: stale })).code).toBe(CODE.invalidSequence)
      expect((await client.ask('Execute', { cookies: new Map() })).code).toBe(CODE.missingCookie)
      const second = await stage.another(client)
      const running = await client.begin('Execute', { rops: WAIT })
      expect((await second.ask('Execute')).code).toBe(CODE.invalidSequence)
      ;(await home.work()).done()
      expect((await running.whole()).code).toBe(CODE.success)
    })

    test('a context is of no use to somebody else', async () => {
      const { client, home } = await stage.connected('alice@test.lan')
      const neighbour = await stage.connectedAt(home)
      const said = await neighbour.ask('Execute', { cookies: client.identity.cookies })
      expect(said).toMatchObject({ status: 200, code: CODE.contextNotFound })
    })

    test('a method that MAPI does not have is for the server to refuse: it shows people a page', async () => {
      const client = await stage.open('alice@test.lan')
      const said = await client.ask('PING', { method: 'PUT' })
      expect(said).toMatchObject({ status: 200, code: CODE.invalidVerb })
      expect(said.fields.get('content-type')).toBe('text/html')
    })
  })

  describe('who does not get in', () => {
    test.each([
      ['a wrong password', 'alice@test.lan', 'guess', 401],
      ['a barred account', 'dave@test.lan', 'secret', 403],
    ])('%s: a status alone says so, and no server hears of it', async (_, user, password, status) => {
      const before = stage.asked
      const client = await stage.open(user, `${EMSMDB}${user}`, password)
      const said = await client.ask('Connect')
      expect(said.status).toBe(status)
      expect(said.fields.has('www-authenticate')).toBe(status === 401)
      expect(said.fields.has('x-responsecode')).toBe(false)
      expect(stage.asked).toBe(before)
    })
  })
})
