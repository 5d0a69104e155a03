// SPDX-License-Identifier: MIT
import type { Offer } from '@portico/session'
import { describe, expect, test } from 'vitest'
import { Client, Front, type World } from './harness.js'

const HTTP: Offer = { protocol: 'http', host: 'mail.example.com', port: 443, tls: 'implicit', proofs: ['password'] }

const PUBLICATION = {
  name: 'Example',
  domains: ['example.com'],
  userName: 'address',
  publicFolders: [],
  isInside: () => false,
  offersFor: () => [HTTP],
} as const

const SITE: World = {
  settings: { directories: [{ preset: 'autodiscover' }, { preset: 'activesync' }, { preset: 'ews', mount: '/ews' }] },
  services: { publication: PUBLICATION },
}

async function get(path: string, world: World = SITE): Promise<{ status: number; body: unknown }> {
  await using front = await Front.start((socket) => socket.destroy(), world)
  const client = await Client.connect(front.port)
  client.send(`GET ${path} HTTP/1.1`, 'Host: mail.example.com', 'Connection: close', '', '')
  const text = await client.toEnd()
  const body = text.slice(text.indexOf('\r\n\r\n') + 4)
  return { status: Number(text.split(' ')[1]), body: body.startsWith('{') ? JSON.parse(body) : body }
}

const SUPPORTED = "The given protocol value is not supported. Supported values are 'ActiveSync,Ews,AutodiscoverV1'."

describe('the second version of Autodiscover', () => {
  test.each<[string, string, number, unknown]>([
    [
      'ActiveSync',
      '/autodiscover/autodiscover.json?Email=kim@example.com&Protocol=ActiveSync',
      200,
      { Protocol: 'ActiveSync', Url: 'https://mail.example.com/Microsoft-Server-ActiveSync' },
    ],
    [
      'any case, and the address in the path',
      '/AutoDiscover/AutoDiscover.JSON/v1.0/kim@example.com?protocol=ews',
      200,
      { Protocol: 'Ews', Url: 'https://mail.example.com/ews/Exchange.asmx' },
    ],
    [
      'the first version',
      '/autodiscover/autodiscover.json/v1.0/nobody@example.com?Protocol=AutodiscoverV1',
      200,
      { Protocol: 'AutodiscoverV1', Url: 'https://mail.example.com/autodiscover/autodiscover.xml' },
    ],
    [
      'no address',
      '/autodiscover/autodiscover.json?Protocol=Ews',
      400,
      { ErrorCode: 'MandatoryParameterMissing', ErrorMessage: 'A valid smtp address must be provided.' },
    ],
    [
      'no protocol',
      '/autodiscover/autodiscover.json?Email=kim@example.com',
      400,
      { ErrorCode: 'MandatoryParameterMissing', ErrorMessage: "The mandatory parameter 'Protocol' is missing." },
    ],
    [
      'a protocol that is none',
      '/autodiscover/autodiscover.json?Email=kim@example.com&Protocol=%3Cscript%3E',
      400,
      { ErrorCode: 'ProtocolNotSupported', ErrorMessage: SUPPORTED },
    ],
    [
      'two protocols',
      '/autodiscover/autodiscover.json?Email=kim@example.com&Protocol=Ews&protocol=Rest',
      400,
      { ErrorCode: 'InvalidParameter', ErrorMessage: 'The query cannot be read.' },
    ],
    [
      'another version',
      '/autodiscover/autodiscover.json/v9.0/kim@example.com?Protocol=Ews',
      404,
      { ErrorCode: 'InvalidRequest', ErrorMessage: 'There is no such version.' },
    ],
  ])('%s', async (_, path, status, body) => expect(await get(path)).toEqual({ status, body }))

  test('addresses that exist and others get the same answer', async () => {
    const ask = (who: string) => get(`/autodiscover/autodiscover.json?Email=${who}&Protocol=Ews`)
    expect(await ask('alice@example.com')).toEqual(await ask('nobody@elsewhere.example'))
  })

  test('what is not live is not told, and neither is a site that says nothing', async () => {
    const path = '/autodiscover/autodiscover.json?Email=kim@example.com&Protocol=Ews'
    const drained = { ...SITE, states: new Map([['ews', 'draining' as const]]) }
    expect((await get(path, drained)).body).toMatchObject({ ErrorCode: 'ProtocolNotSupported' })
    const silent = { ...SITE, services: { publication: { ...PUBLICATION, offersFor: () => [] } } }
    expect((await get(path, silent)).body).toMatchObject({ ErrorCode: 'ProtocolNotSupported' })
  })

  test('without encryption nothing is told', async () => {
    const path = '/autodiscover/autodiscover.json?Email=kim@example.com&Protocol=Ews'
    expect((await get(path, { ...SITE, encrypted: false })).status).toBe(403)
  })

  test('a directory with a group is the group’s to answer', async () => {
    const settings = { directories: [{ preset: 'autodiscover', group: 'web' }] }
    expect((await get('/autodiscover/autodiscover.json?Email=a@b&Protocol=Ews', { ...SITE, settings })).status).toBe(
      401,
    )
  })

  test('other paths and methods', async () => {
    expect((await get('/autodiscover/other')).status).toBe(404)
    expect((await get('/autodiscover/autodiscover.jsonx')).status).toBe(404)
  })
})
