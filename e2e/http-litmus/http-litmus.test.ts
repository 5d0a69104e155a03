// SPDX-License-Identifier: MIT
import {
  APACHE_PROGRAMS,
  type ApacheDav,
  CYRUS_HTTP_PROGRAMS,
  type Cyrus,
  startApacheDav,
  startCyrus,
} from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fetched } from '../lib/curl.js'
import { LITMUS_SUITES, litmus } from '../lib/litmus.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'
import { USERS } from '../lib/two-dovecots.js'

const needs = { programs: [...APACHE_PROGRAMS, ...CYRUS_HTTP_PROGRAMS, 'litmus', 'curl', 'openssl'], root: true }

/** alice's files lie with Apache under their own path and under another; bob's drive with Cyrus. */
scenario('litmus: WebDAV (RFC 4918) through the door and without it', needs, () => {
  let apache: ApacheDav
  let cyrus: Cyrus
  /** Like the first: a suite leaves behind what it could not remove, and stumbles over it. */
  let another: Cyrus
  let portico: Portico<'http' | 'https'>

  beforeAll(async () => {
    apache = await startApacheDav({ users: { alice: 'alicepw' }, path: '/files' })
    const cyruses = await Promise.all([1, 2].map(() => startCyrus({ users: { bob: 'bobpw' }, http: true })))
    ;[cyrus, another] = cyruses as [Cyrus, Cyrus]
    for (const one of cyruses) {
      // The first message makes the mailbox, and the first look the drive.
      await one.deliver('bob', 'Subject: hello\r\n\r\n')
      const look = `http://127.0.0.1:${one.ports.http}/dav/drive/user/bob/`
      await fetched(look, ['-u', 'bob:bobpw', '-X', 'PROPFIND', '-H', 'Depth: 0'])
    }
    portico = await startPortico({
      listeners: {
        http: { protocol: 'http', tls: 'none', plaintextPasswords: 'loopback' },
        https: { protocol: 'http', tls: 'implicit' },
      },
      users: USERS,
      backends: {
        mbx1: { identity: 'password', http: { endpoints: [`http://127.0.0.1:${apache.port}`] } },
        mbx2: { identity: 'password', http: { endpoints: [`http://127.0.0.1:${cyrus.ports.http}`] } },
      },
      more: {
        http: {
          directories: [
            { mount: '/dav/drive', backendPath: '/dav/drive' },
            { mount: '/files', backendPath: '/files', host: 'backend' },
            { mount: '/drive', backendPath: '/files', host: 'backend' },
          ],
        },
      },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await apache?.stop()
    await cyrus?.stop()
    await another?.stop()
  })

  const door = (): string => `https://localhost:${portico.ports.https}`

  test('Apache: every test of every suite passes, as it does without the door', async () => {
    const direct = await litmus(`http://127.0.0.1:${apache.port}/files/`, 'alice')
    const inTheClear = await litmus(`http://127.0.0.1:${portico.ports.http}/files/`, 'alice')
    expect(inTheClear).toEqual(direct)
    // Over TLS it leaves out the one about 100 (Continue).
    const through = [...(await litmus(`${door()}/files/`, 'alice'))]
    through.splice(-1, 0, 'http expect100: pass')
    expect(through.filter((line) => line.includes('FAIL'))).toEqual([])
    expect(through).toEqual(direct)
    expect(new Set(through.map((line) => line.split(' ')[0]))).toEqual(new Set(LITMUS_SUITES))
    expect(through.length).toBeGreaterThan(100)
  })

  test('Apache under another path: everything but the addresses in its documents, which are not ours to change', async () => {
    const through = await litmus(`${door()}/drive/`, 'alice')
    expect(through.filter((line) => line.includes('FAIL'))).toEqual([
      expect.stringMatching(/^props propfind_d0: FAIL .*href for wrong resource/),
    ])
  })

  test('Cyrus: test by test the result that it gives without the door', async () => {
    const suites = ['basic', 'copymove'] as const
    const through = await litmus(`${door()}/dav/drive/user/bob/`, 'bob', suites)
    const direct = await litmus(`http://127.0.0.1:${another.ports.http}/dav/drive/user/bob/`, 'bob', suites)
    // A fragment in a target, by which more would be deleted than was meant, does not come through (RFC 9112 section 3.2).
    const careful = direct.map((line) =>
      line.startsWith('basic delete_fragment') ? 'basic delete_fragment: pass' : line,
    )
    expect(through).toEqual(careful)
    expect(through.length).toBeGreaterThan(25)
  })
})
