// SPDX-License-Identifier: MIT
import { copyFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import {
  anotherServerCertificate,
  type Dovecot,
  freePorts,
  startDovecot,
  type TestCertificate,
  testCertificates,
} from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { succeed } from '../lib/clients.js'
import { LineClient } from '../lib/line-client.js'
import { firstSubject, Load } from '../lib/load.js'
import { PORTICO, type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'

const CLIENTS = 4
/** Sessions that have to go well after each change. */
const ENOUGH = 20

scenario('a new configuration under load', { programs: ['dovecot', 'openssl'], root: true }, () => {
  let dovecots: readonly [Dovecot, Dovecot]
  let portico: Portico<'imaps'>
  let load: Load
  /** Sessions that stay open over all changes, each with the subject that its mailbox server shows. */
  const held: { readonly client: LineClient; readonly subject: string }[] = []
  const connect = (port = portico.ports.imaps) => LineClient.secure(port, testCertificates().ca.certificate)

  beforeAll(async () => {
    const users = { alice: 'alicepw' }
    dovecots = await Promise.all([startDovecot({ name: 'mbx1', users }), startDovecot({ name: 'mbx2', users })])
    for (const [index, dovecot] of dovecots.entries()) {
      dovecot.deliver('alice', `From: carol@test.lan\r\nSubject: on mbx${index + 1}\r\n\r\nhello\r\n`)
    }
    portico = await startPortico({
      listeners: { imaps: { protocol: 'imap4', tls: 'implicit' } },
      users: ['alice:{PLAIN}alicepw::::::group=mail'],
      backends: backends(dovecots[0]),
    })
    load = new Load({ connect, user: 'alice', clients: CLIENTS })
  })
  afterAll(async () => {
    await load?.stop()
    for (const { client } of held) client.destroy()
    await portico?.stop()
    await Promise.all((dovecots ?? []).map((dovecot) => dovecot.stop()))
  })

  async function hold(port?: number): Promise<void> {
    const client = await connect(port)
    await client.until(/\r\n/)
    expect(await client.ask('a LOGIN alice alicepw', /^a .*\r\n/m)).toMatch(/^a OK/m)
    held.push({ client, subject: await firstSubject(client) })
  }
  /** Nothing that was open has ended, nobody was refused, and sessions from now on are like this. */
  async function allIsWell(expected: { readonly certificate: string; readonly subject: string }): Promise<void> {
    const now = performance.now()
    await eventually(() => expect(load.since(now).length).toBeGreaterThan(ENOUGH), 100_000)
    for (const session of load.since(now)) expect(session).toMatchObject(expected)
    expect(load.sessions.filter(({ answer, whole }) => !whole || !answer.startsWith('a OK'))).toEqual([])
    for (const { client, subject } of held) expect(await firstSubject(client)).toBe(subject)
  }
  const site = () => ({ certificate: join(portico.folder, 'site.pem'), key: join(portico.folder, 'site.key') })
  const reloads = (): number => portico.log().split('"message":"reloaded"').length
  const reload = () => succeed(process.execPath, [PORTICO, 'reload', '--config', portico.configFile])

  test('before any change', async () => {
    await Promise.all(Array.from({ length: 4 }, () => hold()))
    await allIsWell({ certificate: 'localhost', subject: 'on mbx1' })
  })

  test('portico reload with another certificate: new connections are shown it, and nobody else notices', async () => {
    put(anotherServerCertificate('second'), site())
    portico.rewrite({ ...portico.config, ...using(site()), backends: backends(dovecots[0]) })
    await reload()
    await allIsWell({ certificate: 'second', subject: 'on mbx1' })
    put(anotherServerCertificate('third'), site())
    await reload()
    await hold()
    await allIsWell({ certificate: 'third', subject: 'on mbx1' })
  })

  test('SIGHUP with another mailbox server: new sessions go there, open ones stay where they are', async () => {
    portico.rewrite({ ...portico.config, ...using(site()), backends: backends(dovecots[1]) })
    const before = reloads()
    process.kill(portico.pid, 'SIGHUP')
    // Logged when every worker has it.
    await eventually(() => expect(reloads()).toBe(before + 1), 100_000)
    await hold()
    await allIsWell({ certificate: 'third', subject: 'on mbx2' })
    expect(subjectsOf(held)).toEqual(['on mbx1', 'on mbx2'])
  })

  test('a listener that comes and goes: its clients are told goodbye, and the others’ sessions go on', async () => {
    const [port = 0] = await freePorts(1)
    const listeners = portico.config['listeners'] as readonly unknown[]
    const more = { protocol: 'imap4', name: 'more', address: `127.0.0.1:${port}`, tls: 'implicit' }
    const config = { ...portico.config, ...using(site()), backends: backends(dovecots[1]) }
    portico.rewrite({ ...config, listeners: [...listeners, more] })
    await reload()
    await hold(port)
    await allIsWell({ certificate: 'third', subject: 'on mbx2' })
    portico.rewrite(config)
    await reload()
    const own = held.pop()
    await own?.client.until(/^\* BYE .*\r\n/m)
    own?.client.destroy()
    await eventually(() => expect(connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' }))
    await allIsWell({ certificate: 'third', subject: 'on mbx2' })
  })

  test('four changes, one upon the other', async () => {
    const certificates = [testCertificates().server, anotherServerCertificate('fourth')]
    for (let turn = 0; turn < 4; turn++) {
      const { certificateFile, keyFile } = certificates[turn % 2] ?? testCertificates().server
      const entry = using({ certificate: certificateFile, key: keyFile })
      portico.rewrite({ ...portico.config, ...entry, backends: backends(dovecots[turn % 2] as Dovecot) })
      if (turn % 3 === 0) process.kill(portico.pid, 'SIGHUP')
      await reload()
    }
    await allIsWell({ certificate: 'fourth', subject: 'on mbx2' })
  })

  test('at the end each client signs out in peace', async () => {
    await load.stop()
    for (const { client } of held) expect(await client.ask('z LOGOUT', /^z .*\r\n/m)).toMatch(/^z OK/m)
    await eventually(() => expect(dovecots.flatMap((dovecot) => dovecot.who())).toEqual([]), 60_000)
  })
})

const subjectsOf = (shown: readonly { readonly subject: string }[]): readonly string[] =>
  [...new Set(shown.map(({ subject }) => subject))].sort()

function backends(dovecot: Dovecot): unknown {
  return { mail: { identity: 'password', imap4: { endpoints: [`127.0.0.1:${dovecot.ports.imap}`] } } }
}

function using({ certificate, key }: { readonly certificate: string; readonly key: string }): {
  readonly tls: unknown
} {
  return { tls: [{ names: ['localhost'], certificate, key: { file: key } }] }
}

/** As a tool for certificates renews them: each file is whole at any time. */
function put(from: TestCertificate, to: { readonly certificate: string; readonly key: string }): void {
  for (const [source, target] of [
    [from.keyFile, to.key],
    [from.certificateFile, to.certificate],
  ] as const) {
    copyFileSync(source, `${target}.new`)
    renameSync(`${target}.new`, target)
  }
}
