// SPDX-License-Identifier: MIT
import { type Radicale, startRadicale, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run, succeed } from '../lib/clients.js'
import { event } from '../lib/dav-items.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'
import { USERS } from '../lib/two-dovecots.js'
import { synchronised } from '../lib/vdirsyncer.js'

const EVENT = event('one', 'lunch')

scenario('HTTP in front of two Radicales', { programs: ['radicale', 'curl', 'vdirsyncer', 'openssl'] }, () => {
  let radicales: readonly [Radicale, Radicale]
  let portico: Portico<'http' | 'https'>
  const ca = (): string => testCertificates().ca.certificateFile

  beforeAll(async () => {
    radicales = await Promise.all([
      startRadicale({ users: { alice: 'alicepw' } }),
      startRadicale({ users: { bob: 'bobpw' } }),
    ])
    const group = (radicale: Radicale) => ({
      identity: 'password',
      http: { endpoints: [`http://127.0.0.1:${radicale.port}`] },
    })
    portico = await startPortico({
      listeners: { http: { protocol: 'http', tls: 'none' }, https: { protocol: 'http', tls: 'implicit' } },
      users: USERS,
      backends: { mbx1: group(radicales[0]), mbx2: group(radicales[1]) },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await Promise.all((radicales ?? []).map((radicale) => radicale.stop()))
  })

  const curl = (path: string, ...more: string[]) =>
    run('curl', [
      '-sS',
      '--cacert',
      ca(),
      '-w',
      '\n%{http_code}',
      `https://localhost:${portico.ports.https}${path}`,
      ...more,
    ])

  test.each([
    ['alice', 0],
    ['bob', 1],
  ] as const)('curl: %s makes a calendar, puts an event and reads it at the own server', async (user, index) => {
    const me = ['-u', `${user}:${user}pw`]
    expect((await curl(`/${user}/work/`, ...me, '-X', 'MKCALENDAR')).stdout).toMatch(/\n201$/)
    // With its length: Radicale's server knows no chunked requests.
    const put = ['-X', 'PUT', '--data-binary', '@-', '-H', 'Content-Type: text/calendar']
    const done = await run(
      'curl',
      ['-sS', '--cacert', ca(), ...me, ...put, `https://localhost:${portico.ports.https}/${user}/work/one.ics`],
      {
        input: EVENT,
      },
    )
    expect(done.stderr).toBe('')
    const got = await curl(`/${user}/work/one.ics`, ...me)
    expect(got.stdout).toContain('SUMMARY:lunch')
    expect((await curl(`/${user}/`, ...me, '-X', 'PROPFIND', '-H', 'Depth: 1')).stdout).toMatch(/work[\s\S]*\n207$/)
    expect(radicales[index].log()).toContain(`/${user}/work/one.ics`)
    expect(radicales[1 - index]?.log()).not.toContain(`/${user}/`)
  })

  test('two requests of one connection, HEAD and GET', async () => {
    const url = `https://localhost:${portico.ports.https}/alice/work/one.ics`
    const done = await run('curl', [
      '-sSv',
      '--cacert',
      ca(),
      '-u',
      'alice:alicepw',
      '-I',
      url,
      '--next',
      '-sS',
      '--cacert',
      ca(),
      '-u',
      'alice:alicepw',
      url,
    ])
    expect(done.stdout).toContain('SUMMARY:lunch')
    expect(done.stderr).toContain('Re-using existing connection')
  })

  test('vdirsyncer discovers and synchronises the calendars of both users', async () => {
    for (const user of ['alice', 'bob']) {
      const url = `https://localhost:${portico.ports.https}/`
      const calendars = synchronised({ type: 'caldav', url, user, password: `${user}pw`, ca: ca() })
      await calendars.discover()
      await calendars.sync()
      expect(Object.values(calendars.items('work'))).toEqual([expect.stringContaining('SUMMARY:lunch')])
      calendars.put('work', 'two.ics', event('two', 'dinner'))
      await calendars.sync()
      expect((await curl(`/${user}/work/`, '-u', `${user}:${user}pw`)).stdout).toContain('dinner')
    }
  })

  test('a wrong password is 401, and no backend hears of it', async () => {
    const before = radicales[0].log().length
    const done = await curl('/alice/', '-u', 'alice:guess', '-i')
    expect(done.stdout).toMatch(/401$/)
    expect(done.stdout).toMatch(/www-authenticate: basic realm=/i)
    expect(radicales[0].log().slice(before)).not.toContain('/alice/')
  })

  test('the balancer’s health check is answered here, with and without TLS', async () => {
    expect((await curl('/healthcheck.htm')).stdout).toMatch(/200$/)
    const plain = await succeed('curl', [
      '-sS',
      '-w',
      '%{http_code}',
      `http://127.0.0.1:${portico.ports.http}/healthcheck.htm`,
    ])
    expect(plain).toMatch(/200$/)
  })

  test('without TLS credentials are not looked at: 403', async () => {
    const url = `http://127.0.0.1:${portico.ports.http}/alice/`
    const said = await succeed('curl', ['-sS', '-o', '/dev/null', '-w', '%{http_code}', '-u', 'alice:alicepw', url])
    expect(said).toBe('403')
  })

  test('no password is in any log line', async () => {
    await eventually(() => expect(portico.log()).toContain('session ended'))
    for (const secret of ['alicepw', 'bobpw', 'guess']) {
      expect(portico.log()).not.toContain(secret)
      expect(portico.log()).not.toContain(Buffer.from(`alice:${secret}`).toString('base64'))
    }
  })
})
