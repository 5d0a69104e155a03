// SPDX-License-Identifier: MIT
import type { Socket } from 'node:net'
import { systemClock } from '@portico/base'
import { createMemoryStore } from '@portico/state'
import { describe, expect, test } from 'vitest'
import { Browser, LOGON } from './browser.js'
import { type Client, Front, type World } from './harness.js'

const SETTINGS = { directories: [{ mount: '/owa', auth: ['forms'], upgrades: ['websocket'] }] }
const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket']

/** A front end whose backend changes to another protocol and then says everything back; and that backend's connections. */
async function start(world: World) {
  const sockets: Socket[] = []
  const front = await Front.start(
    (socket) => {
      sockets.push(socket)
      socket.on('error', () => undefined)
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
        socket.pipe(socket)
      })
    },
    { settings: SETTINGS, ...world },
  )
  return { front, sockets, [Symbol.asyncDispose]: () => front[Symbol.asyncDispose]() }
}

async function openSocket(browser: Browser): Promise<Client> {
  const client = await browser.connect()
  client.send(...browser.lines('GET /owa/socket', ''), ...UPGRADE, '', '')
  expect(await client.take('\r\n\r\n')).toMatch(/^HTTP\/1\.1 101 /)
  return client
}

async function echoed(client: Client, text: string): Promise<void> {
  client.send(text)
  await client.until(() => client.received.includes(text))
}

/** What this process and another that shares its state know of a sign-in. */
describe('a connection that has changed its protocol ends with its sign-in', () => {
  test.each([
    ['here', '/owa/auth/logoff.aspx', 0],
    ['at another process', '/owa/auth/logoff.aspx', 1],
    ['wherever the person is signed in', '/owa/auth/logoff.aspx?all=1', 1],
  ])('%s', async (_label, path, where) => {
    const state = createMemoryStore({ clock: systemClock })
    await using one = await start({ state })
    await using two = await start({ state })
    const browser = new Browser(one.front.port)
    await browser.signIn(LOGON)
    const client = await openSocket(browser)
    await echoed(client, 'hello')
    const other = new Browser([one, two][where]?.front.port ?? 0)
    for (const [name, value] of browser.cookies) other.cookies.set(name, value)
    expect((await other.open(path)).status).toBe(302)
    await client.toEnd()
    await new Promise<void>((resolve) => {
      const [socket] = one.sockets
      if (socket === undefined || socket.destroyed) resolve()
      else socket.once('close', () => resolve())
    })
    expect(await one.front.ended.at(-1)).toBeDefined()
  })

  test('and no other does', async () => {
    await using site = await start({})
    const [leaves, stays] = [new Browser(site.front.port), new Browser(site.front.port)]
    for (const browser of [leaves, stays]) await browser.signIn(LOGON)
    const [ends, goesOn] = [await openSocket(leaves), await openSocket(stays)]
    await leaves.open('/owa/auth/logoff.aspx')
    await ends.toEnd()
    await echoed(goesOn, 'still here')
    goesOn.socket.destroy()
  })
})
