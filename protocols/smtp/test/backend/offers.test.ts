// SPDX-License-Identifier: MIT
import { type Backend, BackendError, type BackendErrorCode, systemClock } from '@portico/base'
import { createTimerWheel } from '@portico/net'
import type { Acquired, Lease } from '@portico/pool'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { type AskingServices, commonOf, deliveryBackends, Offers } from '../../src/backend/offers.js'
import { sharedOf } from '../../src/shared.js'
import { borrow, poolOf, settingsOf, wheel } from './support.js'
import { ToyMta } from './toy-mta.js'

describe('what several backends have in common', () => {
  test.each<[string, (string[] | undefined)[], string[]]>([
    ['one alone', [['DSN', '8BITMIME']], ['DSN', '8BITMIME']],
    [
      'what all have',
      [
        ['DSN', '8BITMIME', 'SMTPUTF8'],
        ['8BITMIME', 'DSN'],
      ],
      ['DSN', '8BITMIME'],
    ],
    ['one that has nothing', [['DSN'], []], []],
    ['one that is away does not count', [['DSN'], undefined, ['DSN', 'CHUNKING']], ['DSN']],
    ['nobody is there', [undefined], []],
    ['there are none', [], []],
  ])('%s', (_label, offered, common) => {
    expect([...commonOf(offered.map((each) => each && new Set(each)))]).toEqual(common)
  })
})

const NAMES = ['one', 'two']
const [ONE, TWO] = NAMES.map((id) => ({ id }) as Backend) as [Backend, Backend]
const offering = (...keywords: string[]) => new Map(keywords.map((keyword) => [keyword, '']))

/** A pool whose answers come when the test wants. */
function asked() {
  const clock = createFakeClock()
  const questions: { readonly backend: string; answer(what: readonly string[] | BackendErrorCode): Promise<void> }[] =
    []
  let released = 0
  const acquire = ({ id }: Backend) =>
    new Promise<Acquired>((resolve) => {
      questions.push({
        backend: id,
        async answer(what) {
          if (typeof what === 'string') {
            resolve({ kind: 'failed', error: new BackendError({ code: what, backend: id, phase: 'connect' }) })
          } else {
            const release = async () => {
              released += 1
            }
            resolve({
              kind: 'lease',
              lease: { greeting: { extensions: offering(...what) }, release } as unknown as Lease,
            })
          }
          await clock.advance(0)
        },
      })
    })
  const services = { pool: { acquire }, clock, wheel: createTimerWheel(clock) } as unknown as AskingServices
  return { clock, services, questions, released: () => released }
}

describe('asking backends what they offer', () => {
  test('the first client waits for those that have not been heard of, the next ones do not', async () => {
    const { services, questions, released } = asked()
    const offers = new Offers()
    const first = offers.of([ONE, TWO], services)
    const second = offers.of([ONE, TWO], services)
    expect(questions.map(({ backend }) => backend)).toEqual(NAMES)
    await questions[0]?.answer(['DSN', 'SMTPUTF8', 'X-ODD'])
    await questions[1]?.answer(['DSN'])
    expect([await first, await second]).toEqual([new Set(['DSN']), new Set(['DSN'])])
    expect(offers.of([ONE], services)).toEqual(new Set(['DSN', 'SMTPUTF8']))
    expect([questions.length, released()]).toEqual([2, 2])
  })

  test('nobody waits longer than a second, and what comes later counts from then on', async () => {
    const { clock, services, questions } = asked()
    const offers = new Offers()
    const waiting = offers.of([ONE, TWO], services)
    await questions[0]?.answer(['DSN'])
    await clock.advance(1_100)
    expect(await waiting).toEqual(new Set(['DSN']))
    expect(offers.of([ONE, TWO], services)).toEqual(new Set(['DSN']))
    await questions[1]?.answer([])
    expect(offers.of([ONE, TWO], services)).toEqual(new Set())
    expect(questions.length).toBe(2)
  })

  test('one that is away is left alone for half a minute, and nobody waits for it again', async () => {
    const { clock, services, questions } = asked()
    const offers = new Offers()
    const waiting = offers.of([ONE], services)
    await questions[0]?.answer('refused')
    expect(await waiting).toEqual(new Set())
    await clock.advance(29_000)
    expect(offers.of([ONE], services)).toEqual(new Set())
    expect(questions.length).toBe(1)
    await clock.advance(1_000)
    expect(offers.of([ONE], services)).toEqual(new Set())
    await questions[1]?.answer(['DSN'])
    expect(offers.of([ONE], services)).toEqual(new Set(['DSN']))
  })

  test('what is five minutes old is asked for again, while clients go on with it', async () => {
    const { clock, services, questions } = asked()
    const offers = new Offers()
    offers.learn('one', offering('DSN'))
    expect(offers.of([ONE], services)).toEqual(new Set(['DSN']))
    await clock.advance(299_000)
    offers.of([ONE], services)
    expect(questions.length).toBe(0)
    await clock.advance(1_000)
    expect(offers.of([ONE], services)).toEqual(new Set(['DSN']))
    expect(questions.length).toBe(1)
    await questions[0]?.answer(['CHUNKING'])
    expect(offers.of([ONE], services)).toEqual(new Set(['CHUNKING']))
  })

  test('one that is merely busy keeps its word', async () => {
    const { clock, services, questions } = asked()
    const offers = new Offers()
    offers.learn('one', offering('DSN'))
    offers.of([ONE], services)
    await clock.advance(300_000)
    offers.of([ONE], services)
    await questions[0]?.answer('busy')
    expect(offers.of([ONE], services)).toEqual(new Set(['DSN']))
  })

  test('lookups may name any number of backends: memory stays bounded, and configured ones are remembered all the same', () => {
    const { services } = asked()
    const offers = new Offers()
    for (let count = 0; count < 5_000; count++) offers.learn(`stray${count}`, offering('DSN'))
    expect(offers.size).toBe(1_024)
    void offers.of([ONE], services)
    offers.learn('one', offering('DSN'))
    expect([offers.size, offers.of([ONE], services)]).toEqual([1_024, new Set(['DSN'])])
  })
})

test('every connection that is prepared tells; an errand of our own leaves one behind for the next client', async () => {
  await using toy = await ToyMta.start()
  const settings = settingsOf()
  await using pool = poolOf(settings)
  const services = { pool, clock: systemClock, wheel }
  const { offers } = sharedOf(settings)
  expect(await offers.of([toy.backend()], services)).toEqual(new Set(['CHUNKING']))
  await using lease = await borrow(pool, toy.backend())
  expect([toy.accepted, lease.kept, lease.reused]).toEqual([1, true, false])
  expect(offers.of([toy.backend()], services)).toEqual(new Set(['CHUNKING']))
})

test('mail goes to the LMTP endpoints of a group if it has any', () => {
  const backend = (id: string, group: string) => ({ id, group }) as Backend
  const configured: Record<string, Backend[]> = {
    lmtp: [backend('a-lmtp', 'a')],
    smtp: [backend('a-smtp', 'a'), backend('b-smtp', 'b')],
  }
  const found = deliveryBackends({ backendsOf: (protocol) => configured[protocol] ?? [] })
  expect(found.map(({ id }) => id)).toEqual(['a-lmtp', 'b-smtp'])
})
