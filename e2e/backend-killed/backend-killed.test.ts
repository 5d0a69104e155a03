// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import { type Dovecot, type DovecotOptions, startDovecot } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LineClient } from '../lib/line-client.js'
import { Load, type LoadSession } from '../lib/load.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'

const ENOUGH = 20
/** An open breaker waits a minute and a half at the very longest. */
const BREAKER_MS = 100_000

/** alice's mailbox is in a group of one, bob's in a group of two. */
scenario('a mailbox server that is killed and comes back, under load', { programs: ['dovecot'], root: true }, () => {
  const options: DovecotOptions = { users: { alice: 'alicepw', bob: 'bobpw' } }
  let only: Dovecot
  let pair: [Dovecot, Dovecot]
  let portico: Portico<'imap'>
  let alice: Load
  let bob: Load

  beforeAll(async () => {
    only = await startDovecot(options)
    pair = [await startDovecot(options), await startDovecot(options)]
    only.deliver('alice', mail('for alice'))
    for (const dovecot of pair) dovecot.deliver('bob', mail('for bob'))
    const group = (...dovecots: readonly Dovecot[]) => ({
      identity: 'password',
      imap4: { endpoints: dovecots.map(({ ports }) => `127.0.0.1:${ports.imap}`) },
    })
    portico = await startPortico({
      listeners: { imap: { protocol: 'imap4', tls: 'none', plaintextPasswords: 'always' } },
      users: ['alice:{PLAIN}alicepw::::::group=one', 'bob:{PLAIN}bobpw::::::group=two'],
      backends: { one: group(only), two: group(...pair) },
    })
    const connect = () => LineClient.connect(portico.ports.imap)
    alice = new Load({ connect, user: 'alice', clients: 3 })
    bob = new Load({ connect, user: 'bob', clients: 3 })
  })
  afterAll(async () => {
    await Promise.all([alice, bob].map((load) => load?.stop()))
    await portico?.stop()
    await Promise.all([only, ...(pair ?? [])].map((dovecot) => dovecot?.stop()))
  })

  const all = (): readonly Dovecot[] => [only, ...pair]

  /** From now on so many sessions go well, and none does not. */
  async function goesWell(load: Load, subject: string): Promise<void> {
    const now = performance.now()
    await eventually(() => expect(load.since(now).length).toBeGreaterThan(ENOUGH), 100_000)
    for (const session of load.since(now)) {
      expect(session).toMatchObject({ answer: expect.stringMatching(/^a OK/), subject, whole: true })
    }
  }
  /** Whatever happened, a right password was never called wrong, and who was not let in was told to come again. */
  function onlyTemporary(load: Load): void {
    for (const { answer } of load.sessions) expect(answer).toMatch(/^a (?:OK|NO \[UNAVAILABLE\]) /)
  }

  test('before anything happens', async () => {
    await Promise.all([goesWell(alice, 'for alice'), goesWell(bob, 'for bob')])
    await eventually(() => expect(all().flatMap((dovecot) => dovecot.who())).not.toEqual([]), 60_000)
    await eventually(() => expect(connectionsTo(all())).not.toEqual([]), 60_000)
  })

  test('the only server of a group: its users are told to come again, other groups do not notice', async () => {
    const now = performance.now()
    await only.kill()
    const gone = performance.now()
    await eventually(() => expect(alice.since(gone).length).toBeGreaterThan(ENOUGH), 100_000)
    for (const { answer } of alice.since(gone)) expect(answer).toMatch(/^a NO \[UNAVAILABLE\] /)
    await goesWell(bob, 'for bob')
    expect(bob.since(now).filter(failed)).toEqual([])
  })

  test('it comes back: sign-ins go on by themselves', async () => {
    only = await startDovecot({ ...options, successorOf: only })
    // Each worker finds out for itself.
    await eventually(() => expect(alice.sessions.slice(-2 * ENOUGH).filter(failed)).toEqual([]), BREAKER_MS)
    await goesWell(alice, 'for alice')
    onlyTemporary(alice)
  })

  test('one server of two: nobody is turned away who comes after it died', async () => {
    // A user keeps to one server of a group as long as it is there.
    if (logins(pair[0]) < logins(pair[1])) pair.reverse()
    const now = performance.now()
    await pair[0].kill()
    await goesWell(bob, 'for bob')
    expect(logins(pair[1])).toBeGreaterThan(ENOUGH)
    onlyTemporary(bob)
    expect(alice.since(now).filter(failed)).toEqual([])
  })

  test('it comes back: its users come back to it', async () => {
    const before = logins(pair[0])
    pair[0] = await startDovecot({ ...options, successorOf: pair[0] })
    await eventually(() => expect(logins(pair[0])).toBeGreaterThan(before + ENOUGH), BREAKER_MS)
    await goesWell(bob, 'for bob')
    onlyTemporary(bob)
  })

  test('when the clients have left, nothing is left of their sessions at any backend', async () => {
    await Promise.all([alice.stop(), bob.stop()])
    await eventually(() => {
      expect(all().flatMap((dovecot) => dovecot.who())).toEqual([])
      // Two stand ready for each worker's next sign-in at each server.
      for (const dovecot of all())
        expect(connectionsTo([dovecot]).length).toBeLessThanOrEqual(2 * portico.workers.length)
    }, 100_000)
  })
})

const mail = (subject: string): string => `From: carol@test.lan\r\nSubject: ${subject}\r\n\r\nhello\r\n`
const failed = ({ answer, whole }: LoadSession): boolean => !whole || !answer.startsWith('a OK')
const logins = (dovecot: Dovecot): number => dovecot.log().split('imap-login: Info: Login:').length

/** Connections of this machine to one of their ports other than those that only wait to be forgotten. */
function connectionsTo(dovecots: readonly Dovecot[]): readonly string[] {
  const ports = new Set(dovecots.map((dovecot) => dovecot.ports.imap))
  const TIME_WAIT = '06'
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(1)
      .filter((line) => {
        const [, , remote = '', state] = line.trim().split(/\s+/)
        return state !== TIME_WAIT && ports.has(Number.parseInt(remote.split(':')[1] ?? '', 16))
      }),
  )
}
