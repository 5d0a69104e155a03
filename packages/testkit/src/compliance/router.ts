// SPDX-License-Identifier: MIT
import type { MailboxLocation } from '@portico/base'
import type { Decision, RouteQuestion, Router } from '@portico/routing'
import { MAX_HOPS } from '@portico/routing'
import { describe, expect, test } from 'vitest'

/** A router that knows one group of at least three endpoints for one protocol, and does not know another protocol for it. */
export interface RouterUnderTest {
  readonly router: Router
  readonly group: string
  readonly protocol: string
  readonly absentProtocol: string
  /** One host of the group. */
  readonly host: string
  /** A second protocol that the group has endpoints of, at least two, one of them at `host`; not all of its hosts have one. */
  readonly delivery: string
  /** A host of the group that has no endpoint of `delivery`. */
  readonly undeliveredHost: string
  /** A group that has `protocol` only, and one that has `delivery` only. */
  readonly plainGroup: string
  readonly deliveryGroup: string
}

/** What every {@link Router} must keep. */
export function routerCompliance(name: string, make: () => RouterUnderTest): void {
  const under = make()
  const decide = (more: Partial<RouteQuestion> = {}): Decision =>
    under.router.decide({
      location: { group: under.group, source: 'test' },
      protocol: under.protocol,
      networks: [],
      states: new Map(),
      hops: 0,
      spreadKey: 'alice',
      ...more,
    })

  describe(`router: ${name}`, () => {
    test('the same question has the same answer', () => {
      expect(decide()).toEqual(decide())
    })

    test('a user has one first endpoint, and all others of the group behind it, each once', () => {
      const ids = candidateIds(decide())
      expect(ids.length).toBeGreaterThanOrEqual(3)
      expect(new Set(ids).size).toBe(ids.length)
    })

    test('many users are spread evenly over the endpoints', () => {
      const counts = new Map<string, number>()
      for (let user = 0; user < 3_000; user++) {
        const [first = ''] = candidateIds(decide({ spreadKey: `user${user}@example.org` }))
        counts.set(first, (counts.get(first) ?? 0) + 1)
      }
      const share = 3_000 / candidateIds(decide()).length
      for (const count of counts.values()) expect(Math.abs(count - share)).toBeLessThan(share * 0.15)
    })

    test('a pinned host is the only candidate; one that is not in the group is refused', () => {
      const pinned = decide({ location: { group: under.group, host: under.host, source: 'test' } })
      expect(candidateIds(pinned)).toHaveLength(1)
      const strange = decide({ location: { group: under.group, host: 'elsewhere.example', source: 'test' } })
      expect(strange).toEqual({ kind: 'refuse', reason: 'backend-unavailable' })
    })

    test.each(['draining', 'inactive'] as const)('a service that is %s takes nobody', (state) => {
      expect(decide({ states: new Map([[under.protocol, state]]) })).toEqual({ kind: 'refuse', reason: 'draining' })
    })

    test('a session that has passed too many proxies is in a loop', () => {
      expect(decide({ hops: MAX_HOPS }).kind).toBe('proxy')
      expect(decide({ hops: MAX_HOPS + 1 })).toEqual({ kind: 'refuse', reason: 'backend-unavailable' })
    })

    test('a redirection is followed to an endpoint of the configuration only, and not for ever', () => {
      const { router, group, protocol, host, absentProtocol } = under
      const referral = { protocol, group, host: host.toUpperCase(), port: undefined, states: new Map(), hops: 1 }
      const nowhere = { kind: 'refuse', reason: 'backend-unavailable' }
      expect(candidateIds(router.follow(referral))).toHaveLength(1)
      expect(router.follow({ ...referral, port: 1 })).toEqual(nowhere)
      expect(router.follow({ ...referral, host: 'elsewhere.example' })).toEqual(nowhere)
      expect(router.follow({ ...referral, host: `${host}.elsewhere.example` })).toEqual(nowhere)
      expect(router.follow({ ...referral, protocol: absentProtocol })).toEqual(nowhere)
      expect(router.follow({ ...referral, hops: MAX_HOPS }).kind).toBe('proxy')
      expect(router.follow({ ...referral, hops: MAX_HOPS + 1 })).toEqual(nowhere)
      const draining = new Map([[protocol, 'draining' as const]])
      expect(router.follow({ ...referral, states: draining })).toEqual({ kind: 'refuse', reason: 'draining' })
    })

    test('a group without the protocol, and a group that does not exist, are refused', () => {
      expect(decide({ protocol: under.absentProtocol })).toEqual({ kind: 'refuse', reason: 'protocol-disabled' })
      const nowhere = decide({ location: { group: 'no-such-group', source: 'test' } })
      expect(nowhere).toEqual({ kind: 'refuse', reason: 'backend-unavailable' })
    })

    preferenceTests(under, decide)
  })
}

/** What is reached by another protocol than the session's, where there is one. */
function preferenceTests(under: RouterUnderTest, decide: (more?: Partial<RouteQuestion>) => Decision): void {
  const { group, protocol, delivery: prefer, host, undeliveredHost } = under
  const at = (location: Partial<MailboxLocation>) => ({ location: { group, source: 'test', ...location } })
  const addressOf = (decision: Decision) => (decision.kind === 'proxy' ? decision.candidates[0].address : undefined)

  test('a preferred protocol has all the candidates where the group speaks it, and only for who prefers it', () => {
    expect(protocolsOf(decide())).toEqual([protocol])
    expect(protocolsOf(decide({ prefer }))).toEqual([prefer])
    expect(candidateIds(decide({ prefer })).length).toBeGreaterThanOrEqual(2)
  })

  test("a group without the preferred protocol is reached by the session's, one with nothing else by that alone", () => {
    expect(protocolsOf(decide({ prefer, ...at({ group: under.plainGroup }) }))).toEqual([protocol])
    expect(protocolsOf(decide({ prefer, ...at({ group: under.deliveryGroup }) }))).toEqual([prefer])
    const disabled = { kind: 'refuse', reason: 'protocol-disabled' }
    expect(decide(at({ group: under.deliveryGroup }))).toEqual(disabled)
    expect(decide({ protocol: under.absentProtocol, prefer: under.absentProtocol })).toEqual(disabled)
  })

  test("the component state is that of the session's protocol", () => {
    expect(decide({ prefer, states: new Map([[protocol, 'draining']]) })).toEqual({
      kind: 'refuse',
      reason: 'draining',
    })
    expect(protocolsOf(decide({ prefer, states: new Map([[prefer, 'inactive']]) }))).toEqual([prefer])
  })

  test('a pinned host is reached there by what it has', () => {
    expect(protocolsOf(decide({ prefer, ...at({ host }) }))).toEqual([prefer])
    expect(protocolsOf(decide({ prefer, ...at({ host: undeliveredHost }) }))).toEqual([protocol])
    expect(decide({ prefer, ...at({ host: 'elsewhere.example' }) }).kind).toBe('refuse')
  })

  test("an endpoint that a lookup gave speaks the session's protocol, unless it is listed as one of the preferred", () => {
    const listed = addressOf(decide({ prefer }))
    if (listed === undefined) throw new Error('no candidate')
    const unlisted = { kind: 'tcp', host, port: 65_001 } as const
    expect(protocolsOf(decide({ prefer, ...at({ endpoint: unlisted }) }))).toEqual([protocol])
    expect(protocolsOf(decide({ prefer, ...at({ endpoint: listed }) }))).toEqual([prefer])
    expect(protocolsOf(decide(at({ endpoint: listed })))).toEqual([protocol])
    expect(protocolsOf(decide({ prefer, ...at({ group: under.deliveryGroup, endpoint: unlisted }) }))).toEqual([prefer])
  })
}

function protocolsOf(decision: Decision): readonly string[] {
  return decision.kind === 'proxy' ? [...new Set(decision.candidates.map(({ protocol }) => protocol))] : []
}

function candidateIds(decision: Decision): readonly string[] {
  return decision.kind === 'proxy' ? decision.candidates.map(({ id }) => id) : []
}
