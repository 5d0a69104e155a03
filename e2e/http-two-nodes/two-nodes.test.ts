// SPDX-License-Identifier: MIT
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  APACHE_PROGRAMS,
  type ApacheDav,
  launch,
  privateFolder,
  type RunningServer,
  startApacheDav,
  testCertificates,
} from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Background, background } from '../lib/background.js'
import { type Fetched, fetched } from '../lib/curl.js'
import { type Balancer, startHaproxy } from '../lib/haproxy.js'
import { PORTICO, type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'
import { USERS } from '../lib/two-dovecots.js'
import { WebBrowser } from '../lib/web-browser.js'

const BALANCER = '127.0.0.9'
const BIG = 200 * 1024 ** 2

const needs = { programs: [...APACHE_PROGRAMS, 'haproxy', 'curl', 'openssl'], root: true }

/** The nodes share nothing but their configuration, in which stands the secret that seals the cookies. */
scenario('two nodes behind round robin, and a sign-in by our page', needs, () => {
  let apache: ApacheDav
  let nodes: readonly [Portico<'https'>, Portico<'https'>]
  let balancer: Balancer<'https'>
  let browser: WebBrowser
  /** The first node after its death. */
  let again: RunningServer | undefined

  beforeAll(async () => {
    apache = await startApacheDav({ users: { alice: 'alicepw' }, path: '/files' })
    for (const [name, content] of [
      ['hello', 'hello alice'],
      ['big', Buffer.alloc(BIG, 'portico\n')],
    ] as const) {
      writeFileSync(join(apache.files, name), content)
      chmodSync(join(apache.files, name), 0o644)
    }
    const key = join(privateFolder('key'), 'cookies')
    writeFileSync(key, 'the same thirty-two characters or more on both\n', { mode: 0o600 })
    const start = () =>
      startPortico({
        listeners: { https: { protocol: 'http', tls: 'implicit' } },
        users: USERS,
        backends: { mbx1: { identity: 'password', http: { endpoints: [`http://127.0.0.1:${apache.port}`] } } },
        more: {
          networks: { balancers: [`${BALANCER}/32`] },
          http: {
            directories: [{ mount: '/files', backendPath: '/files', auth: ['forms'] }],
            forms: { keys: [{ file: key }] },
          },
        },
      })
    nodes = [await start(), await start()]
    const to = nodes.map((node) => node.ports.https)
    const healthPage = '/healthcheck.htm'
    balancer = await startHaproxy(BALANCER, { https: { to, header: 'send-proxy-v2', healthPage } })
    browser = new WebBrowser(`https://localhost:${balancer.ports.https}`)
  })
  afterAll(async () => {
    await balancer?.stop()
    await again?.stop()
    await Promise.all((nodes ?? []).map((node) => node.stop()))
    await apache?.stop()
  })

  /** How many requests each node has passed on. */
  const served = (log: string): number => log.match(/"backend":"mbx1\/http/g)?.length ?? 0

  test('the page of one, the answer to the other, and the cookie is good at both', async () => {
    const page = await browser.signIn('/files/hello', 'alice', 'alicepw')
    expect(page.body).toBe('hello alice')
    for (let count = 0; count < 6; count++) expect((await browser.open('/files/hello')).body).toBe('hello alice')
    await eventually(() => {
      for (const node of nodes) expect(served(node.log())).toBeGreaterThanOrEqual(3)
    })
  })

  test('whoever has no cookie is asked by each of them, and a wrong password is one at each', async () => {
    const stranger = new WebBrowser(`https://localhost:${balancer.ports.https}`)
    for (let count = 0; count < 2; count++) {
      const said = await stranger.signIn('/files/hello', 'alice', 'guess')
      expect(said.body).toContain('name="password"')
      expect(said.body).not.toContain('hello alice')
    }
  })

  test('a node is killed while its users read: what it sent is told as incomplete, all else goes on, without a sign-in', async () => {
    // A slow reader at each: one of them is at the node that dies.
    const readers = [slowReader(browser, balancer), slowReader(browser, balancer)]
    await eventually(() => {
      for (const reader of readers) expect(reader.received()).toBeGreaterThan(1024 ** 2)
    })
    await nodes[0].kill()
    for (let count = 0; count < 6; count++) expect((await browser.open('/files/hello')).body).toBe('hello alice')
    // A partial file, a broken connection, a broken stream: nothing looks like the whole.
    const first = await Promise.race(readers.map((reader) => reader.ended))
    expect([18, 56, 92]).toContain(first)
    for (const reader of readers) reader.kill()
    await Promise.all(readers.map((reader) => reader.ended))
  })

  test('the node comes back, and knows the cookie', async () => {
    const [node, other] = nodes
    const before = served(other.log())
    again = await launch({
      command: process.execPath,
      args: [PORTICO, 'serve', '--config', node.configFile],
      folder: privateFolder('again'),
      logFile: node.logFile,
      ports: [node.ports.https],
    })
    const start = served(readFileSync(node.logFile, 'latin1'))
    await eventually(async () => {
      expect((await browser.open('/files/hello')).body).toBe('hello alice')
      expect(served(readFileSync(node.logFile, 'latin1'))).toBeGreaterThan(start)
    })
    expect(served(other.log())).toBeGreaterThanOrEqual(before)
  })

  test('after signing out the browser has no cookie that either would take, and a copy of it is of no use to any process of that node', async () => {
    const [other, node] = nodes
    const copy = browser.cookies
    const size = node.log().length
    expect((await at(node, '/files/hello', copy)).body).toBe('hello alice')
    expect((await at(node, '/files/auth/logoff.aspx', copy)).status).toBe(302)
    // All workers of the node refuse it, and each connection may come to another.
    await eventually(async () => {
      expect((await at(node, '/files/hello', copy)).status).toBe(440)
      const refused = node
        .log()
        .slice(size)
        .matchAll(/"pid":(\d+).*"path":"\/files\/hello","status":440/g)
      expect(new Set([...refused].map(([, pid]) => pid)).size).toBe(node.workers.length)
    })
    // No state is shared by nodes in this version, as the documentation says: there the copy is good until it runs out.
    expect((await at(other, '/files/hello', copy)).body).toBe('hello alice')

    await browser.open('/files/auth/logoff.aspx')
    for (let count = 0; count < 2; count++) {
      expect((await browser.open('/files/hello')).body).toContain('name="password"')
    }
  })

  /** Asks one of the nodes for what the balancer would be asked for, with a cookie that somebody has. */
  function at(node: Portico<'https'>, path: string, cookie: string): Promise<Fetched> {
    const there = `localhost:${balancer.ports.https}:127.0.0.1:${node.ports.https}`
    return fetched(`https://localhost:${balancer.ports.https}${path}`, ['-b', cookie, '--connect-to', there])
  }
})

/** A client that takes its time over a large file. */
function slowReader(browser: WebBrowser, balancer: Balancer<'https'>): Background {
  const url = `https://localhost:${balancer.ports.https}/files/big`
  const { ca } = testCertificates()
  return background(
    'curl',
    ['-sS', '--cacert', ca.certificateFile, '-b', browser.cookies, '--limit-rate', '4M', url],
    false,
  )
}
