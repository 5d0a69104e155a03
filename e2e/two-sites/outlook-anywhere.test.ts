// SPDX-License-Identifier: MIT
import { testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Outlook } from '../lib/outlook.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { RpcProxy } from '../lib/rpc-proxy.js'
import { given, SERVICE } from '../lib/rpc-service.js'
import { eventually, scenario } from '../lib/scenario.js'

const BOB = 'bob:bob-password'

/** Both channels of a virtual connection, through both front ends, to one server. */
scenario('Outlook Anywhere, carried to the other site', { programs: ['openssl'] }, () => {
  let proxy: RpcProxy
  let munich: Portico<'https'>
  let berlin: Portico<'https'>

  beforeAll(async () => {
    proxy = await RpcProxy.start([BOB])
    const start = (group: object, more: object): Promise<Portico<'https'>> =>
      startPortico({
        listeners: { https: { protocol: 'http', tls: 'implicit' } },
        users: [`${BOB.replace(':', ':{PLAIN}')}::::::group=mail`],
        backends: { mail: { identity: 'password', ...group } },
        more: { http: { directories: [{ preset: 'rpc', auth: ['basic'] }] }, ...more },
      })
    munich = await start({ http: { endpoints: [`http://127.0.0.1:${proxy.port}`] } }, {})
    const tls = { ca: testCertificates().ca.certificateFile, servername: 'localhost' }
    berlin = await start(
      { site: 'munich', http: { endpoints: [`https://127.0.0.1:${munich.ports.https}`], tls } },
      {
        site: 'berlin',
        sites: { berlin: {}, munich: { http: 'https://munich.test.lan', redirect: { webMail: 'silent' } } },
      },
    )
  })
  afterAll(async () => {
    await berlin?.stop()
    await munich?.stop()
    await proxy?.[Symbol.asyncDispose]()
  })

  test('calls pass, and channels are replaced', async () => {
    const outlook = await Outlook.connect({ port: berlin.ports.https, credentials: BOB })
    try {
      expect((await outlook.call(SERVICE.reverse, Buffer.from('abc'))).toString()).toBe('cba')
      const size = Buffer.alloc(4)
      size.writeUInt32LE(300_000)
      expect(given(300_000).equals(await outlook.call(SERVICE.give, size))).toBe(true)
      await outlook.recycleIn()
      expect((await outlook.call(SERVICE.reverse, Buffer.from('in'))).toString()).toBe('ni')
    } finally {
      outlook.vanish()
    }
    expect(proxy.faults).toEqual([])
    // Each worker writes its own lines, in its own time.
    await eventually(() => {
      for (const way of ['in', 'out']) expect(munich.log()).toMatch(new RegExp(`"direction":"${way}".*"rpc channel"`))
    })
  })
})
