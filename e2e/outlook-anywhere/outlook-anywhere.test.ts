// SPDX-License-Identifier: MIT
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { python } from '../lib/clients.js'
import { OctetClient } from '../lib/octet-client.js'
import { Outlook, type OutlookSetting } from '../lib/outlook.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { RpcProxy } from '../lib/rpc-proxy.js'
import { given, SERVICE } from '../lib/rpc-service.js'
import { eventually, scenario } from '../lib/scenario.js'

/** Enough of them for both proxies to be somebody's first. */
const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi']
const CREDENTIALS = NAMES.map((name) => `${name}:${name}-pw`)
const ALICE = 'alice:alice-pw'

/** Impacket's client of RPC over HTTP: binds, makes a call, and one whose answer is larger than its window. */
const IMPACKET = `
import sys
from hashlib import sha256
from struct import pack
from impacket.dcerpc.v5.transport import DCERPCTransportFactory
from impacket.http import AUTH_BASIC
from impacket.uuid import uuidtup_to_bin
url, user, password, uuid = sys.argv[1:5]
transport = DCERPCTransportFactory('ncacn_http:mbx.test.lan[6001]')
transport.set_rpc_proxy_url(url)
transport.set_auth_type(AUTH_BASIC)
transport.set_credentials(user, password)
dce = transport.get_dce_rpc()
try:
    dce.connect()
except Exception as error:
    print('refused:', error)
    sys.exit(0)
dce.bind(uuidtup_to_bin((uuid, '0.0')))
dce.call(${SERVICE.reverse}, b'stressed')
print(dce.recv().decode())
dce.call(${SERVICE.give}, pack('<L', 1048576))
print(sha256(dce.recv()).hexdigest() == sha256(b'Portico ' * 131072).hexdigest())
dce.disconnect()
`

function octets(count: number): Buffer {
  const stub = Buffer.alloc(4)
  stub.writeUInt32LE(count)
  return stub
}

/** What is said to a request that is written as it stands; its head, and as much of the content as it announces. */
async function answerTo(client: OctetClient, ...lines: readonly string[]): Promise<string> {
  await client.send(lines.join('\r\n'))
  const head: string[] = []
  for (let line = await client.line(); line !== undefined && line !== ''; line = await client.line()) head.push(line)
  const length = Number(/^content-length: (\d+)$/im.exec(head.join('\n'))?.[1] ?? 0)
  const content: Buffer[] = []
  await client.take(length, { update: (part) => content.push(Buffer.from(part)) })
  return [...head, Buffer.concat(content).toString('hex')].join('\n')
}

const basic = (credentials: string): string => `Authorization: Basic ${Buffer.from(credentials).toString('base64')}`

scenario('Outlook Anywhere', { programs: ['python3', 'openssl'] }, () => {
  let proxies: [RpcProxy, RpcProxy]
  let portico: Portico<'https'>
  const outlooks: Outlook[] = []

  beforeAll(async () => {
    proxies = [await RpcProxy.start(CREDENTIALS), await RpcProxy.start(CREDENTIALS)]
    portico = await startNode()
  })
  afterEach(() => {
    for (const outlook of outlooks.splice(0)) outlook.vanish()
    expect(proxies.flatMap(({ faults }) => faults)).toEqual([])
  })
  afterAll(async () => {
    await portico?.stop()
    for (const proxy of proxies ?? []) await proxy[Symbol.asyncDispose]()
  })

  /** A node of the site, in front of the same proxies. */
  const startNode = (more: Readonly<Record<string, unknown>> = {}): Promise<Portico<'https'>> =>
    startPortico({
      listeners: { https: { protocol: 'http', tls: 'implicit' } },
      users: CREDENTIALS.map((line) => `${line.replace(':', ':{PLAIN}')}::::::group=mbx`),
      backends: {
        mbx: { identity: 'password', http: { endpoints: proxies.map(({ port }) => `http://127.0.0.1:${port}`) } },
      },
      more: { http: { directories: [{ preset: 'rpc', auth: ['basic'] }] }, ...more },
    })
  const open = async (credentials = ALICE, more: Partial<OutlookSetting> = {}): Promise<Outlook> => {
    const outlook = await Outlook.connect({ port: portico.ports.https, credentials, ...more })
    outlooks.push(outlook)
    return outlook
  }
  /** The proxy that has a virtual connection of the user, and the newest one of it. */
  const placeOf = (credentials: string) => {
    const proxy = proxies.find(({ open: here }) => here.some(({ user }) => user === credentials))
    const virtual = proxy?.open.filter(({ user }) => user === credentials).at(-1)
    if (proxy === undefined || virtual === undefined) throw new Error(`no virtual connection of ${credentials}`)
    return { proxy, virtual }
  }
  const requests = () => proxies.flatMap((proxy) => proxy.requests)

  describe('impacket', () => {
    const impacket = (password: string): Promise<string> =>
      python(IMPACKET, `https://localhost:${portico.ports.https}/rpc/rpcproxy.dll`, 'bob', password, SERVICE.uuid)

    test('binds, calls, and acknowledges an answer that is larger than its window', async () => {
      expect(await impacket('bob-pw')).toBe('desserts\nTrue\n')
      const seen = requests().filter(({ credentials }) => credentials === 'bob:bob-pw')
      expect(seen.map(({ method, target, length }) => [method, target, length]).sort()).toEqual([
        ['RPC_IN_DATA', '/rpc/rpcproxy.dll?mbx.test.lan:6001', 1_073_741_824],
        ['RPC_OUT_DATA', '/rpc/rpcproxy.dll?mbx.test.lan:6001', 76],
      ])
      expect(seen.map(({ fields }) => fields.has('transfer-encoding'))).toEqual([false, false])
      const virtual = proxies.flatMap(({ connections }) => connections).find(({ user }) => user === 'bob:bob-pw')
      expect(virtual?.acks).toBeGreaterThan(1)
      await virtual?.over
    })

    test('is told that its password is wrong, and no proxy sees it', async () => {
      const before = requests().length
      expect(await impacket('wrong')).toMatch(/^refused: .*401 Unauthorized/)
      expect(requests()).toHaveLength(before)
    })
  })

  test('calls pass while both bodies are open, and what is too much for a window waits for its acknowledgement', async () => {
    const outlook = await open()
    expect((await outlook.call(SERVICE.reverse, Buffer.from('abc'))).toString()).toBe('cba')
    expect(given(300_000).equals(await outlook.call(SERVICE.give, octets(300_000)))).toBe(true)
    // More than the proxy's own window has, so that it has to acknowledge as well.
    for (let index = 0; index < 20; index += 1) {
      const stub = Buffer.alloc(5_000, index)
      expect(stub.equals(await outlook.call(SERVICE.reverse, stub))).toBe(true)
    }
    expect(outlook.heard).toContain('2: destination ack')
    expect(placeOf(ALICE).virtual.acks).toBeGreaterThan(1)
  })

  test('it does not matter which channel begins', async () => {
    const outlook = await open(ALICE, { inFirst: true })
    expect((await outlook.call(SERVICE.reverse, Buffer.from('abc'))).toString()).toBe('cba')
  })

  test('PING passes in both directions', async () => {
    const outlook = await open()
    const { virtual } = placeOf(ALICE)
    await outlook.ping()
    virtual.ping()
    await outlook.call(SERVICE.reverse, Buffer.from('abc'))
    expect(outlook.heard).toContain('1:')
    expect(virtual.heard).toContain('1:')
  })

  test('channels are replaced one after the other, and nothing that was under way is lost', async () => {
    const outlook = await open()
    const { proxy, virtual } = placeOf(ALICE)
    const before = requests().length
    for (let round = 0; round < 3; round += 1) {
      await outlook.recycleIn()
      expect((await outlook.call(SERVICE.reverse, Buffer.from('in'))).toString()).toBe('ni')
      virtual.recycleOut()
      await outlook.recycleOut()
      expect(given(100_000).equals(await outlook.call(SERVICE.give, octets(100_000)))).toBe(true)
    }
    expect(virtual.closed).toBe(false)
    expect(requests()).toHaveLength(before + 6)
    expect(proxy.requests.slice(-6).map(({ method, length }) => [method, length])).toEqual(
      [0, 1, 2].flatMap(() => [
        ['RPC_IN_DATA', 1_073_741_824],
        ['RPC_OUT_DATA', 120],
      ]),
    )
  })

  test.each(['in', 'out', 'both'] as const)('a client that is gone (%s) leaves nothing open', async (which) => {
    const outlook = await open()
    const { virtual } = placeOf(ALICE)
    outlook.vanish(which)
    await virtual.over
    await outlook.ended()
  })

  test('a client that finishes its OUT channel is at its end', async () => {
    const outlook = await open()
    const { virtual } = placeOf(ALICE)
    outlook.finishOut()
    await virtual.over
    await outlook.ended()
  })

  test('a server that ends a virtual connection ends both channels, and in order', async () => {
    const outlook = await open()
    placeOf(ALICE).virtual.close()
    expect(await outlook.ended()).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/)
  })

  test.each([
    ['1.1', []],
    ['1.0', ['Connection: Keep-Alive']],
  ])(
    'an echo is answered to whoever has signed in, and the connection becomes a channel (HTTP/%s)',
    async (version, fields) => {
      const before = requests().length
      const client = await OctetClient.tls(portico.ports.https)
      const start = [`RPC_IN_DATA /rpc/rpcproxy.dll?mbx:6001 HTTP/${version}`, 'Host: localhost', ...fields]
      expect(await answerTo(client, ...start, 'Content-Length: 0', '', '')).toMatch(
        /^HTTP\/1\.1 401 Unauthorized\n[\s\S]*\nWWW-Authenticate: Basic /,
      )
      const echo = await answerTo(client, ...start, basic(ALICE), 'Content-Length: 4', '', 'echo')
      expect(echo).toMatch(/^HTTP\/1\.1 200 Success\n/)
      expect(echo).toMatch(/\n0500140310000000140000000000000040000000$/)
      expect(requests()).toHaveLength(before)
      await client.send([...start, basic(ALICE), 'Content-Length: 1073741824', '', ''].join('\r\n'))
      await eventually(() => expect(requests()).toHaveLength(before + 1))
      client.destroy()
      await eventually(() => expect(requests().every(({ ended }) => ended)).toBe(true))
    },
  )

  test('a server or a port that is none is not looked for', async () => {
    const client = await OctetClient.tls(portico.ports.https)
    const ask = (server: string) =>
      answerTo(
        client,
        ...[`RPC_OUT_DATA /rpc/rpcproxy.dll?${server} HTTP/1.1`, 'Host: localhost', basic(ALICE)],
        ...['Content-Length: 76', '', 'x'.repeat(76)],
      )
    const before = requests().length
    const [closed, here] = [await ask('127.0.0.1:1'), await ask(`127.0.0.1:${portico.ports.https}`)]
    expect(closed).toMatch(/^HTTP\/1\.1 400 Bad Request\n/)
    expect(withoutDate(here)).toBe(withoutDate(closed))
    client.destroy()
    expect(requests()).toHaveLength(before)
    const outlook = await open(ALICE, { server: '192.0.2.1:6004' })
    expect((await outlook.call(SERVICE.reverse, Buffer.from('here'))).toString()).toBe('ereh')
  })

  test('channels that come to two nodes meet at one proxy, and end when one of the nodes leaves', async () => {
    await using other = await startNode({ limits: { drain: '1s' } })
    const inPort = other.ports.https
    for (const credentials of CREDENTIALS) {
      const outlook = await open(credentials, { inPort })
      expect((await outlook.call(SERVICE.reverse, Buffer.from('ab'))).toString()).toBe('ba')
      await outlook.recycleIn()
      placeOf(credentials).virtual.recycleOut()
      await outlook.recycleOut()
      expect((await outlook.call(SERVICE.reverse, Buffer.from('cd'))).toString()).toBe('dc')
    }
    const [outlook] = outlooks
    const { virtual } = placeOf(ALICE)
    await other.stop()
    await virtual.over
    await outlook?.ended()
    const again = await open()
    expect((await again.call(SERVICE.reverse, Buffer.from('ef'))).toString()).toBe('fe')
  })

  test('when a proxy is lost its users go on together at the other one, and the others stay', async () => {
    for (const credentials of CREDENTIALS) await open(credentials)
    const places = CREDENTIALS.map((credentials) => placeOf(credentials).proxy)
    const [lost, left] = proxies
    expect(new Set(places).size).toBe(2)
    const opened = [...outlooks]
    await lost.kill()
    for (const [index, outlook] of opened.entries()) {
      if (places[index] === left) {
        expect((await outlook.call(SERVICE.reverse, Buffer.from('ab'))).toString()).toBe('ba')
        continue
      }
      // Neither channel is left hanging.
      await outlook.ended()
      const again = await open(CREDENTIALS[index])
      expect((await again.call(SERVICE.reverse, Buffer.from('ab'))).toString()).toBe('ba')
      const { virtual } = placeOf(CREDENTIALS[index] ?? '')
      await again.recycleIn()
      virtual.recycleOut()
      await again.recycleOut()
      expect((await again.call(SERVICE.reverse, Buffer.from('cd'))).toString()).toBe('dc')
    }
  })

  test('the log has a line for each channel, and no cookie', () => {
    const lines = portico
      .log()
      .split('\n')
      .filter((line) => line.includes('"rpc channel"'))
      .map((line) => JSON.parse(line) as { readonly direction: string; readonly user: string })
    expect(new Set(lines.map(({ direction }) => direction))).toEqual(new Set(['in', 'out']))
    expect(new Set(lines.map(({ user }) => user))).toEqual(new Set(NAMES))
  })
})

function withoutDate(answer: string): string {
  return answer.replace(/^Date: .*$/m, '')
}
