// SPDX-License-Identifier: MIT
import { silentLog } from '@portico/telemetry'
import { describe, expect, test } from 'vitest'
import { type ForwardedFacts, remainingHops, type Session, takeForwarded } from '../src/index.js'

/** A session with a proxy, or with anybody; `said` is whom it spoke for. */
function sessionOf(isProxy = true) {
  const said: unknown[] = []
  const session = {
    id: 's1',
    isProxy,
    hops: 0,
    services: { log: silentLog },
    speaksFor: (client: unknown) => said.push(client),
  } as unknown as Session
  return { session, said }
}

describe('what a proxy says of its client', () => {
  test.each<[string, ForwardedFacts, unknown[]]>([
    [
      'an address and a port',
      { address: '203.0.113.9', port: '4000' },
      [{ peer: { address: '203.0.113.9', port: 4000, family: 4 } }],
    ],
    ['an address alone', { address: '2001:db8::9' }, [{ peer: { address: '2001:db8::9', port: 0, family: 6 } }]],
    ['a mapped address', { address: '::ffff:203.0.113.9' }, [{ peer: { address: '203.0.113.9', port: 0, family: 4 } }]],
    [
      'an address in another spelling',
      { address: '2001:DB8:0:0::0BAD' },
      [{ peer: { address: '2001:db8::bad', port: 0, family: 6 } }],
    ],
    [
      'a mapped address in hex',
      { address: '0::ffff:cb00:7109' },
      [{ peer: { address: '203.0.113.9', port: 0, family: 4 } }],
    ],
    [
      'both ends',
      { address: '203.0.113.9', port: '1', localAddress: '198.51.100.1', localPort: '993' },
      [
        {
          peer: { address: '203.0.113.9', port: 1, family: 4 },
          local: { address: '198.51.100.1', port: 993, family: 4 },
        },
      ],
    ],
    ['nothing', {}, []],
  ])('%s', (_label, facts, expected) => {
    const { session, said } = sessionOf()
    expect(takeForwarded(session, facts)).toBe(true)
    expect(said).toEqual(expected)
  })

  test.each<[string, ForwardedFacts]>([
    ['a name', { address: 'example.com' }],
    ['an address with a port', { address: '203.0.113.9:4000' }],
    ['an address with a zone', { address: 'fe80::1%eth0' }],
    ['a port that is none', { address: '203.0.113.9', port: '65536' }],
    ['a signed port', { address: '203.0.113.9', port: '-1' }],
    ['a broken local address', { address: '203.0.113.9', localAddress: 'x' }],
    ['a ttl that is no number', { address: '203.0.113.9', ttl: '1.5' }],
    ['a long ttl', { ttl: '1000' }],
  ])('%s is not taken, and nothing else with it', (_label, facts) => {
    const { session, said } = sessionOf()
    expect(takeForwarded(session, facts)).toBe(false)
    expect({ said, hops: session.hops }).toEqual({ said: [], hops: 0 })
  })

  test('nobody else is believed', () => {
    const { session, said } = sessionOf(false)
    expect(takeForwarded(session, { address: '203.0.113.9', ttl: '0' })).toBe(false)
    expect({ said, hops: session.hops }).toEqual({ said: [], hops: 0 })
  })

  test.each([
    ['255', 0, 4],
    ['5', 0, 4],
    ['3', 2, 2],
    ['1', 4, 0],
    ['0', 6, 0],
  ])('x-proxy-ttl %s means %d hops so far and leaves %d', (ttl, hops, left) => {
    const { session } = sessionOf()
    takeForwarded(session, { ttl })
    expect(session.hops).toBe(hops)
    expect(remainingHops(session)).toBe(left)
  })
})
