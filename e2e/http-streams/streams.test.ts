// SPDX-License-Identifier: MIT
import { createHash, randomBytes } from 'node:crypto'
import { testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Background, background } from '../lib/background.js'
import { settingsFile } from '../lib/clients.js'
import { type LiveApp, startLiveApp } from '../lib/live-app.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'
import { USERS } from '../lib/two-dovecots.js'

const MEGABYTE = 1024 ** 2

/** Nothing is held back, and nothing that broke off looks complete, in either direction and in both versions of HTTP. */
scenario('HTTP as it flows', { programs: ['curl', 'openssl'] }, () => {
  let app: LiveApp
  let portico: Portico<'https'>

  beforeAll(async () => {
    app = await startLiveApp()
    const group = { identity: 'password', http: { endpoints: [`http://127.0.0.1:${app.port}`] } }
    portico = await startPortico({
      listeners: { https: { protocol: 'http', tls: 'implicit' } },
      users: USERS,
      backends: { mbx1: group, mbx2: group },
      // Who has sent everything may wait for the answer so long although it has said that it will send no more.
      more: { limits: { halfClosed: '1s' } },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await app?.[Symbol.asyncDispose]()
  })

  describe.each(['1.1', '2'])('HTTP/%s', (version) => {
    const curl = (path: string, ...more: readonly string[]): Background =>
      background('curl', [
        ...['-sSN', `--http${version}`, '--cacert', testCertificates().ca.certificateFile, '-u', 'alice:alicepw'],
        ...['-H', 'Expect:', '-w', '\n%{http_version} %{http_code}', ...more],
        `https://localhost:${portico.ports.https}${path}`,
      ])

    test('each event of a stream arrives while the next is not there yet', async () => {
      const client = curl('/events')
      const { response } = await app.next('/events')
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      for (const event of ['first', 'second', 'third']) {
        response.write(`data: ${event}\n\n`)
        await eventually(() => expect(client.said()).toContain(`data: ${event}\n\n`))
      }
      response.end()
      expect(await client.ended).toBe(0)
      expect(client.said()).toMatch(new RegExp(`\n${version} 200$`))
    })

    test('a client that goes ends its request at the backend', async () => {
      const client = curl('/poll')
      const visitor = await app.next('/poll')
      client.kill()
      await visitor.gone
      expect(visitor.response.writableEnded).toBe(false)
    })

    test('an upload of unknown length arrives while it is sent, and whole', async () => {
      const content = randomBytes(20 * MEGABYTE)
      const client = curl('/up', '-T', '-')
      client.write(content.subarray(0, MEGABYTE))
      const visitor = await app.next('/up')
      await eventually(() => expect(visitor.received).toBeGreaterThan(MEGABYTE / 2))
      client.write(content.subarray(MEGABYTE))
      client.finish()
      expect(await visitor.body).toBe(createHash('sha256').update(content).digest('hex'))
      visitor.response.writeHead(201).end()
      expect(await client.ended).toBe(0)
      expect(client.said()).toMatch(/ 201$/)
    })

    test('an upload of known length arrives while it is sent, and whole', async () => {
      const content = randomBytes(6 * MEGABYTE)
      const client = curl('/sized', '--limit-rate', '1M', '-T', settingsFile('content', content).file)
      const visitor = await app.next('/sized')
      await eventually(() => expect(visitor.received).toBeGreaterThan(0))
      expect(visitor.received).toBeLessThan(content.length)
      expect(await visitor.body).toBe(createHash('sha256').update(content).digest('hex'))
      expect(visitor.request.headers['content-length']).toBe(String(content.length))
      visitor.response.writeHead(201).end()
      expect(await client.ended).toBe(0)
    })

    test('an upload that broke off is no upload at the backend', async () => {
      const client = curl('/cut', '-T', '-')
      client.write(randomBytes(MEGABYTE))
      const visitor = await app.next('/cut')
      await eventually(() => expect(visitor.received).toBeGreaterThan(0))
      client.kill()
      expect(await visitor.body).toBe('broken off')
    })

    test.each([
      ['of known length', { 'Content-Length': 2 * MEGABYTE }],
      ['of unknown length', {}],
    ])('an answer %s that broke off is an error at the client', async (_label, head) => {
      const client = curl('/half')
      const { request, response } = await app.next('/half')
      response.writeHead(200, { 'Content-Type': 'text/plain', ...head })
      response.write('the first half')
      await eventually(() => expect(client.said()).toContain('the first half'))
      request.socket.destroy()
      // A partial file, a broken connection, a broken stream.
      expect([18, 56, 92]).toContain(await client.ended)
    })

    test('an answer that comes before the upload is over is not waited with', async () => {
      const content = settingsFile('content', randomBytes(40 * MEGABYTE)).file
      const client = curl('/enough', '--limit-rate', '2M', '-T', content)
      const visitor = await app.next('/enough')
      visitor.response.writeHead(413).end('enough')
      await client.ended
      expect(client.said()).toMatch(/enough[\s\S]* 413/)
      expect(visitor.received).toBeLessThan(40 * MEGABYTE)
    })

    test('an interim response comes before the final one (RFC 8297)', async () => {
      const client = curl('/early', '-v')
      const { response } = await app.next('/early')
      response.writeEarlyHints({ link: '</style.css>; rel=preload' })
      await eventually(() => expect(client.said()).toMatch(/< HTTP\S+ 103[\s\S]*style\.css/))
      response.end('late')
      expect(await client.ended).toBe(0)
      expect(client.said()).toMatch(/< HTTP\S+ 200[\s\S]*late/)
    })
  })
})
