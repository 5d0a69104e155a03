// SPDX-License-Identifier: MIT
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { MapiReply } from '../lib/mapi-client.js'
import { answeredRops, CODE } from '../lib/mapi-words.js'
import { peakGrowth } from '../lib/process-memory.js'
import { scenario } from '../lib/scenario.js'
import { MapiStage } from './stage.js'

const WAIT = Buffer.from('wait')
const PARKED = 400
/** What a parked request may cost in the processes of the front end together. */
const PARKED_OCTETS = 150 * 1024

scenario('MAPI over HTTP, as it flows', { programs: ['openssl'] }, () => {
  const stage = new MapiStage()
  beforeAll(() => stage.start())
  afterAll(() => stage[Symbol.asyncDispose]())

  test('each word of the server arrives while it has not said the next', async () => {
    const { client, home } = await stage.connected('alice@test.lan')
    const reply = await client.begin('Execute', { rops: WAIT })
    const work = await home.work()
    expect(reply.fields.get('transfer-encoding')).toBe('chunked')
    expect(await reply.tag()).toBe('PROCESSING')
    for (let count = 0; count < 3; count++) {
      work.pending()
      expect(await reply.tag()).toBe('PENDING')
    }
    work.done()
    expect(await reply.tag()).toBe('DONE')
    const { code, body } = await reply.whole()
    expect([code, answeredRops(body)]).toEqual([CODE.success, WAIT])
  })

  test('a client waits for a notification, and works meanwhile', async () => {
    const { client, home } = await stage.connected('alice@test.lan')
    const waiting = await (await stage.another(client)).begin('NotificationWait')
    const work = await home.work()
    expect(await waiting.tag()).toBe('PROCESSING')
    for (let count = 0; count < 5; count++) expect((await client.ask('Execute')).code).toBe(CODE.success)
    work.pending()
    expect(await waiting.tag()).toBe('PENDING')
    work.done()
    expect((await waiting.whole()).body.readUInt32LE(8)).toBe(1)
  })

  test('a client that goes ends its wait at the server', async () => {
    const { client, home } = await stage.connected('alice@test.lan')
    const second = await stage.another(client)
    await second.begin('NotificationWait')
    const work = await home.work()
    second.destroy()
    await work.gone
    expect((await client.ask('Execute')).code).toBe(CODE.success)
  })

  test('a server that dies in the middle is no end of an answer', async () => {
    const { client, home } = await stage.connected('alice@test.lan')
    const reply = await client.begin('Execute', { rops: WAIT })
    ;(await home.work()).die()
    await expect(reply.whole()).rejects.toThrow()
  })

  test(`${PARKED} clients wait, which costs little, and others are served`, async () => {
    const { client, home } = await stage.connected('alice@test.lan')
    const waiting: MapiReply[] = []
    const grown = await peakGrowth(stage.portico.workers, async () => {
      while (waiting.length < PARKED) {
        const some = Array.from({ length: 40 }, async () => (await stage.another(client)).begin('NotificationWait'))
        waiting.push(...(await Promise.all(some)))
      }
    })
    expect(grown).toBeLessThan(PARKED * PARKED_OCTETS)
    const works = await Promise.all(waiting.map(() => home.work()))
    for (const work of works) work.pending()
    expect((await client.ask('Execute')).code).toBe(CODE.success)
    expect((await (await stage.connectedAt(home)).ask('Execute')).code).toBe(CODE.success)
    for (const reply of waiting) {
      expect([await reply.tag(), await reply.tag()]).toEqual(['PROCESSING', 'PENDING'])
    }
    for (const work of works) work.done()
    const answers = await Promise.all(waiting.map((reply) => reply.whole()))
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([CODE.success]))
  })
})
