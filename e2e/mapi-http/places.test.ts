// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fetched } from '../lib/curl.js'
import type { MapiClient } from '../lib/mapi-client.js'
import type { MapiServer } from '../lib/mapi-server.js'
import { CODE } from '../lib/mapi-words.js'
import { eventually, scenario } from '../lib/scenario.js'
import { BOSS, EMSMDB, MapiStage, SHARED, STAFF } from './stage.js'

const SCHEMAS = 'http://schemas.microsoft.com/exchange/autodiscover'

scenario('MAPI over HTTP, and the server of a context', { programs: ['curl', 'openssl'] }, () => {
  const stage = new MapiStage()
  beforeAll(() => stage.start())
  afterAll(() => stage[Symbol.asyncDispose]())

  describe('which server', () => {
    test('the requests of a mailbox come to one, by whatever connection, and those of all to both', async () => {
      const homes = new Set<MapiServer>()
      for (const user of STAFF) {
        const { client, home, other } = await stage.connected(user)
        homes.add(home)
        expect((await client.ask('Execute')).code).toBe(CODE.success)
        expect((await (await stage.another(client)).ask('Execute')).code).toBe(CODE.success)
        expect(other.arrivals.some((arrival) => arrival.user === user)).toBe(false)
      }
      expect(homes).toEqual(new Set([stage.one, stage.two]))
    })

    test('a MailboxId that the directory knows leads who may act for it there, and others to their own', async () => {
      const shared = EMSMDB + SHARED
      const alice = await stage.open('alice@test.lan', shared)
      expect((await alice.ask('Connect')).fields.get('x-deviceinfo')).toBe('board')
      expect((await alice.ask('Execute')).code).toBe(CODE.success)
      expect(stage.board.arrivals.at(-1)).toMatchObject({ user: 'alice@test.lan', url: shared })
      const carol = await stage.open('carol@test.lan', shared)
      expect((await carol.ask('Connect')).fields.get('x-deviceinfo')).not.toBe('board')
    })

    test('the address that Autodiscover tells is the one by which the mailbox is found', async () => {
      const question = `<Autodiscover xmlns="${SCHEMAS}/outlook/requestschema/2006"><Request><EMailAddress>${BOSS}</EMailAddress><AcceptableResponseSchema>${SCHEMAS}/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>`
      const url = `https://localhost:${stage.portico.ports.https}/autodiscover/autodiscover.xml`
      const sent = ['-H', 'Content-Type: text/xml', '-H', 'X-MapiHttpCapability: 1', '--data-binary', question]
      const { body } = await fetched(url, ['-u', 'alice@test.lan:secret', ...sent])
      const [, endpoint] = /<MailStore><ExternalUrl>https:\/\/mail\.test\.lan(\/mapi\/[^<]+)</.exec(body) ?? []
      expect(endpoint, body).toBe(EMSMDB + BOSS)
      const alice = await stage.open('alice@test.lan', endpoint)
      expect((await alice.ask('Connect')).fields.get('x-deviceinfo')).toBe('board')
    })

    test('one is killed: its clients connect again at the other, which those of the other do not notice', async () => {
      const { client, home, other } = await stage.connected('alice@test.lan')
      const neighbour = await stage.connectedAt(other)
      const waiting = await (await stage.another(client)).begin('NotificationWait')
      await home.work()
      await home.kill()
      await expect(waiting.whole()).rejects.toThrow()
      // A connection that had been kept may be found dead by the first request: an Execute is not sent twice.
      await eventually(async () => expect((await client.ask('Execute')).code).toBe(CODE.contextNotFound))
      expect(other.arrivals.at(-1)?.user).toBe('alice@test.lan')
      const again = await client.ask('Connect')
      expect([again.code, again.fields.get('x-deviceinfo')]).toEqual([CODE.success, other.name])
      expect((await client.ask('Execute')).code).toBe(CODE.success)
      expect((await neighbour.ask('Execute')).code).toBe(CODE.success)
      await home.start()
    })
  })

  describe('once and not twice', () => {
    test('a server closes instead of answering: 502, and nobody else is asked, on a kept and on a fresh connection', async () => {
      const { client, home, other } = await stage.connected('alice@test.lan')
      const asked = (): number => home.arrivals.length + other.arrivals.length
      /** Whether it was on a connection that had served before. */
      const closedOn = async (asker: MapiClient): Promise<boolean> => {
        home.closeNext = 1
        const before = asked()
        expect((await asker.ask('Execute')).status).toBe(502)
        expect(asked()).toBe(before + 1)
        const socket = home.arrivals.at(-1)?.socket
        return home.arrivals.slice(0, -1).some((arrival) => arrival.socket === socket)
      }
      const second = await stage.another(client)
      expect((await second.ask('Execute')).code).toBe(CODE.success)
      expect(await closedOn(second)).toBe(true)
      // Each time there is one less that is kept.
      while (await closedOn(await stage.another(client)));
      expect((await client.ask('Execute')).code).toBe(CODE.success)
    })

    test('a kept connection that the server has closed meanwhile is not used', async () => {
      const { client, home } = await stage.connected('alice@test.lan')
      const kept = home.arrivals.at(-1)?.socket as Socket
      const closed = once(kept, 'close')
      kept.end()
      await closed
      expect((await client.ask('Execute')).code).toBe(CODE.success)
      expect(home.arrivals.at(-1)?.socket).not.toBe(kept)
    })
  })
})
