// SPDX-License-Identifier: MIT
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
  })
}

function candidateIds(decision: Decision): readonly string[] {
  return decision.kind === 'proxy' ? decision.candidates.map(({ id }) => id) : []
}
