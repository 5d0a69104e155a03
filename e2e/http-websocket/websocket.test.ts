// SPDX-License-Identifier: MIT
import { freePorts, launch, privateFolder, type RunningServer, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { python } from '../lib/clients.js'
import { fetched } from '../lib/curl.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'
import { USERS } from '../lib/two-dovecots.js'

const needs = { programs: ['python3', 'curl', 'openssl'] }

/** A client and a server of the Python library, each with its own reading of RFC 6455. */
scenario('WebSocket', needs, () => {
  let backend: RunningServer
  let portico: Portico<'https'>

  beforeAll(async () => {
    const [port = 0] = await freePorts(1)
    const folder = privateFolder('ws')
    backend = await launch({
      command: '/usr/bin/python3',
      args: ['-u', '-c', SERVER, String(port)],
      folder,
      logFile: `${folder}/log`,
      ports: [port],
    })
    const group = { identity: { header: { name: 'X-User' } }, http: { endpoints: [`http://127.0.0.1:${port}`] } }
    portico = await startPortico({
      listeners: { https: { protocol: 'http', tls: 'implicit' } },
      users: USERS,
      backends: { mbx1: group, mbx2: group },
      more: {
        http: { directories: [{ mount: '/live', upgrades: ['websocket'] }, { mount: '/still' }] },
      },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await backend?.stop()
  })

  const { ca } = testCertificates()
  /** What a client with `program` as its conversation saw, line by line. */
  const converse = async (program: string, path = '/live/echo', user = 'alice', password = `${user}pw`) => {
    const url = `wss://localhost:${portico.ports.https}${path}`
    const body = program.trim().replaceAll('\n', '\n        ')
    const said = await python(
      CLIENT.replace('CONVERSATION', () => body),
      url,
      ca.certificateFile,
      user,
      password,
    )
    return said.trim().split('\n')
  }

  test('messages of every size and kind, pings, the compression and the subprotocol that both agreed on', async () => {
    const said = await converse(`
print(socket.subprotocol, [e.name for e in socket.extensions])
for message in ['hello', 'grüße', b'\\x00\\xff', os.urandom(1_500_000), 'x' * 1_500_000]:
    await socket.send(message)
    print(await socket.recv() == message)
await (await socket.ping(b'are you there'))
print('pong')
await socket.close(4001, 'enough')
print(socket.close_code, socket.close_reason)`)
    expect(said).toEqual([
      "chat ['permessage-deflate']",
      ...['True', 'True', 'True', 'True', 'True'],
      'pong',
      '4001 enough',
    ])
    await eventually(() => expect(backend.log()).toContain('closed /echo 4001 enough'))
  })

  test('a hundred messages fly both ways at once, in their order', async () => {
    const said = await converse(`
async def talk():
    for number in range(100):
        await socket.send('%d %s' % (number, 'y' * (number * 331)))
talking = asyncio.ensure_future(talk())
print([int((await socket.recv()).split()[0]) for _ in range(100)] == list(range(100)))
await talking`)
    expect(said).toEqual(['True'])
  })

  test('the backend hears who it is and where from, and what the client claims of that is not passed', async () => {
    const said = await converse('print(await socket.recv())', '/live/head?x=1', 'bob')
    const head = JSON.parse(said.join('')) as Record<string, string>
    expect(head).toMatchObject({ path: '/head?x=1', 'x-user': 'bob', 'x-forwarded-for': '127.0.0.1' })
    expect(head['x-forwarded-proto']).toBe('https')
    expect(head['authorization']).toBeUndefined()
  })

  test('the backend speaks first, and closes', async () => {
    const said = await converse(
      `
print(await socket.recv())
try:
    await socket.recv()
except websockets.ConnectionClosed as end:
    print(end.code, end.reason)`,
      '/live/goodbye',
    )
    expect(said).toEqual(['hello first', '1001 going away'])
  })

  test('the backend dies: the client is told by the end of its connection, at once', async () => {
    const said = await converse(
      `
print(await socket.recv())
try:
    await socket.recv()
except websockets.ConnectionClosed as end:
    print(end.code)`,
      '/live/die',
    )
    expect(said).toEqual(['hello first', '1006'])
  })

  test('the client vanishes: the backend is told', async () => {
    await converse(
      `
await socket.send('last words')
await socket.recv()
os._exit(0)`,
      '/live/vanish',
    )
    await eventually(() => expect(backend.log()).toContain('closed /vanish 1006'))
  })

  test('its octets are counted in the log of its session', async () => {
    await eventually(() => {
      const [session] = portico.sessions().filter((line) => Number(line['bytesIn']) > 1_500_000)
      expect(session).toMatchObject({ user: 'alice', mechanism: 'BASIC', reason: 'logout' })
    })
  })

  test.each([
    ['without the right password', '/live/refused', 'guess', 'refused 401'],
    ['where the directory does not allow it', '/still/refused', 'alicepw', 'refused 426'],
  ])('%s there is no WebSocket', async (_label, path, password, expected) => {
    expect(await converse('print("open")', path, 'alice', password)).toEqual([expected])
    expect(backend.log()).not.toContain('open /refused')
  })

  test('a request behind an upgrade that the backend refuses goes on as a request', async () => {
    const fields = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 12', 'Sec-WebSocket-Key: AAAA']
    const ask = [...fields.flatMap((line) => ['-H', line]), '--http1.1', '-u', 'alice:alicepw']
    const said = await fetched(`https://localhost:${portico.ports.https}/live/old`, ask)
    expect(said.status).toBe(400)
    expect(said.body).toContain('Sec-WebSocket')
  })
})

const SERVER = `
import asyncio, json, sys, websockets
async def serve(socket, path):
    path, _, _ = path.partition('?')
    print('open', path)
    try:
        if path == '/head':
            head = {k.lower(): v for k, v in socket.request_headers.raw_items()}
            await socket.send(json.dumps({**head, 'path': socket.path}))
        elif path == '/goodbye':
            await socket.send('hello first')
            await socket.close(1001, 'going away')
        elif path == '/die':
            await socket.send('hello first')
            socket.transport.abort()
        else:
            async for message in socket:
                await socket.send(message)
    finally:
        await socket.wait_closed()
        print('closed', path, socket.close_code, socket.close_reason)
async def main():
    async with websockets.serve(serve, '127.0.0.1', int(sys.argv[1]), subprotocols=['chat'], max_size=None):
        await asyncio.Future()
asyncio.run(main())
`

const CLIENT = `
import asyncio, base64, os, ssl, sys, websockets
url, ca, user, password = sys.argv[1:]
claims = {'X-User': 'mallory', 'X-Forwarded-For': '198.51.100.1', 'X-Forwarded-Proto': 'http'}
claims['Authorization'] = 'Basic ' + base64.b64encode((user + ':' + password).encode()).decode()
async def main():
    try:
        socket = await websockets.connect(url, ssl=ssl.create_default_context(cafile=ca), extra_headers=claims,
                                          subprotocols=['chat'], max_size=None, open_timeout=60)
    except websockets.InvalidStatusCode as refused:
        return print('refused', refused.status_code)
    try:
        CONVERSATION
    finally:
        await socket.close()
asyncio.run(main())
`
