// SPDX-License-Identifier: MIT
import { join } from 'node:path'
import { privateFolder, type Radicale, startRadicale } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { settingsFile } from '../lib/clients.js'
import { type Fetched, fetched } from '../lib/curl.js'
import { event } from '../lib/dav-items.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'
import { USERS } from '../lib/two-dovecots.js'

/** Long enough that it is still under way when its server dies. */
const LONG_EVENT = event('long', 'x'.repeat(2 * 1024 ** 2))
const CLIENTS = 4

/** Both show the same items, so that either can serve everybody. */
scenario(
  'two Radicales of one store, and one is killed while clients upload',
  { programs: ['radicale', 'curl', 'openssl'] },
  () => {
    let radicales: readonly [Radicale, Radicale]
    let portico: Portico<'https'>

    beforeAll(async () => {
      const store = join(privateFolder('store'), 'items')
      const start = () => startRadicale({ users: { alice: 'alicepw' }, store })
      radicales = await Promise.all([start(), start()])
      const endpoints = radicales.map(({ port }) => `http://127.0.0.1:${port}`)
      portico = await startPortico({
        listeners: { https: { protocol: 'http', tls: 'implicit' } },
        users: USERS,
        backends: { mbx1: { identity: 'password', http: { endpoints } }, mbx2: { http: { endpoints } } },
      })
    })
    afterAll(async () => {
      await portico?.stop()
      await Promise.all((radicales ?? []).map((radicale) => radicale.stop()))
    })

    const ask = (path: string, ...more: readonly string[]): Promise<Fetched> =>
      fetched(`https://localhost:${portico.ports.https}${path}`, ['-u', 'alice:alicepw', ...more])

    const put = (name: string, content: string, ...more: readonly string[]): Promise<Fetched> => {
      const { file } = settingsFile('item.ics', content)
      return ask(
        `/alice/work/${name}.ics`,
        '-X',
        'PUT',
        '--data-binary',
        `@${file}`,
        '-H',
        'Content-Type: text/calendar',
        ...more,
      )
    }

    test('the upload under way is told as failed, those before and after are kept, and no other is ever told as kept', async () => {
      expect((await ask('/alice/work/', '-X', 'MKCALENDAR')).status).toBe(201)
      const told = new Map<string, number>()
      let [count, over] = [0, false]
      const writer = async (): Promise<void> => {
        while (!over) {
          const name = `item-${count++}`
          told.set(name, (await put(name, event(name, name))).status)
        }
      }
      const writers = Array.from({ length: CLIENTS }, writer)

      const long = put('long', LONG_EVENT, '-H', 'Expect:', '--limit-rate', '256k')
      const receiving = /PUT request for '\/alice\/work\/long\.ics'/
      const victim = await Promise.race(
        radicales.map(async (radicale) => {
          await radicale.logged(receiving)
          return radicale
        }),
      )
      await victim.kill()
      expect([502, 504]).toContain((await long).status)
      const before = count
      while (count < before + 3 * CLIENTS) await put('another', event('another', 'dinner'))
      over = true
      await Promise.all(writers)

      const kept = [...told].filter(([, status]) => status === 201)
      const failed = [...told].filter(([, status]) => status !== 201)
      // What was being answered when its server died, and what just went out on a connection of it; all else found the other.
      expect(failed.length).toBeLessThanOrEqual(2 * CLIENTS)
      for (const [, status] of failed) expect([502, 504]).toContain(status)
      expect(kept.length).toBeGreaterThanOrEqual(2 * CLIENTS)
      for (const [name] of kept) expect((await ask(`/alice/work/${name}.ics`)).body).toContain(`SUMMARY:${name}\r\n`)
      expect((await ask('/alice/work/long.ics')).status).toBe(404)
      const listed = await ask('/alice/work/', '-X', 'PROPFIND', '-H', 'Depth: 1')
      const items = listed.body.match(/<href>[^<]*item-\d+\.ics<\/href>/g) ?? []
      expect(new Set(items).size).toBe(items.length)
      expect(items.length).toBeGreaterThanOrEqual(kept.length)
      expect(items.length).toBeLessThanOrEqual(told.size)
    })

    test('the upload that was told as failed is sent again, and is kept by the other', async () => {
      expect((await put('long', LONG_EVENT)).status).toBe(201)
      expect((await ask('/alice/work/long.ics')).body).toContain('xxxx')
    })
  },
)
