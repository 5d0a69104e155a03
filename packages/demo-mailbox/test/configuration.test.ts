// SPDX-License-Identifier: MIT
import { createServer } from 'node:net'
import { createDemoMailbox } from '@portico/demo-mailbox'
import { expect, test } from 'vitest'
import { configurationText, type DemoListener, SIGN_OUT, usersText } from '../src/demo/configuration.js'
import { freePort } from '../src/demo/ports.js'
import { sheetText } from '../src/demo/sheet.js'

const listener: DemoListener = { protocol: 'imap4', tls: 'implicit', service: 'imaps', port: 1993 }
const alice = { name: 'alice', password: 'wonderland', group: 'first' }
const bob = { name: 'bob', password: 'sponge', group: 'second' }

test('the configuration names every listener and server, and holds no password', async () => {
  await using mailbox = await createDemoMailbox({ name: 'first', users: [alice] })
  const text = configurationText('/tmp/x', [listener], new Map([['first', mailbox]]))
  expect(text).toContain('address: "127.0.0.1:1993", tls: implicit')
  expect(text).toContain(`imap4: { endpoints: ["127.0.0.1:${mailbox.ports.imap4}"] }`)
  expect(text + usersText([alice, bob])).not.toMatch(/wonderland|sponge/)
  expect(usersText([alice])).toMatch(/^alice:\{SSHA512\}[A-Za-z0-9+/=]+::::::group=first\n$/)
})

test('a port that is taken is passed over', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const taken = typeof address === 'object' && address !== null ? address.port : 0
  expect(await freePort(taken, new Set())).toBeGreaterThan(taken)
  server.close()
})

test('the sheet says which port had to move', () => {
  const sheet = { folder: '/tmp/x', listeners: [listener], users: [alice, bob], moved: ['(imaps: moved)'], waiting: 4 }
  expect(sheetText(sheet)).toContain('(imaps: moved)')
})

test('mail from outside has a door of its own', async () => {
  const text = configurationText(
    '/tmp/x',
    [{ protocol: 'smtp', tls: 'starttls', service: 'smtp', port: 1025, connector: 'inbound' }],
    new Map(),
  )
  expect(text).toContain('address: "127.0.0.1:1025", tls: starttls, connector: inbound }')
})

test('people sign in to the web mailbox by the page, and out where its link leads', async () => {
  const text = configurationText('/tmp/x', [listener], new Map())
  expect(text).toContain('{ mount: /, auth: [forms, basic] }')
  await using mailbox = await createDemoMailbox({ name: 'first', users: [alice], signOut: SIGN_OUT })
  const authorization = `Basic ${Buffer.from('alice:wonderland').toString('base64')}`
  const page = await fetch(`http://127.0.0.1:${mailbox.ports.http}/`, { headers: { authorization } })
  expect(await page.text()).toContain('<a href="/logoff.owa">Sign out</a>')
})
