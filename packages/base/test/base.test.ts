// SPDX-License-Identifier: MIT
import { BlockList, isIP } from 'node:net'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CancellationSource,
  formatAddress,
  isLoopback,
  NEVER,
  networksOf,
  parseAddress,
  Secret,
  unmapped,
} from '../src/index.js'

describe('addresses', () => {
  it.each([
    ['127.0.0.1:143', { kind: 'tcp', host: '127.0.0.1', port: 143 }],
    ['[::1]:993', { kind: 'tcp', host: '::1', port: 993 }],
    ['mbx1.example.com:65535', { kind: 'tcp', host: 'mbx1.example.com', port: 65535 }],
    ['unix:/run/lmtp', { kind: 'unix', path: '/run/lmtp' }],
    ['::1:993', undefined],
    ['host:65536', undefined],
    ['host', undefined],
    ['ho st:1', undefined],
    ['unix:', undefined],
    ['[::1]', undefined],
    ['http://host:1', undefined],
  ])('%s', (text, expected) => {
    expect(parseAddress(text)).toEqual(expected)
  })

  it('are read back as they were written', () => {
    const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain())
    fc.assert(
      fc.property(host, fc.integer({ min: 0, max: 65535 }), (name, port) => {
        const address = { kind: 'tcp', host: name, port } as const
        expect(parseAddress(formatAddress(address))).toEqual(address)
      }),
    )
  })

  it('lose the IPv4-mapped prefix (RFC 4291 section 2.5.5.2)', () => {
    expect(unmapped('::ffff:192.0.2.1')).toBe('192.0.2.1')
    expect(unmapped('::FFFF:192.0.2.1')).toBe('192.0.2.1')
    expect(unmapped('::ffff:c000:201')).toBe('::ffff:c000:201')
  })
})

describe('networks', () => {
  const set = networksOf(['10.0.0.0/8', '192.0.2.7', 'fd00::/8'])
  it.each([
    ['10.255.0.1', true],
    ['::ffff:10.0.0.1', true],
    ['11.0.0.1', false],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['fd12::1', true],
    ['fe80::1', false],
    ['', false],
    ['not an address', false],
  ])('%s', (address, inside) => {
    expect(set.contains(address)).toBe(inside)
  })

  it('agree with the BlockList of the platform about every address', () => {
    const near = fc.constantFrom('10.0.0.0', '10.0.0.255', '127.0.0.1', '0.0.0.0', '255.255.255.255', '128.0.0.1')
    const v4 = fc.oneof(near, fc.ipV4())
    const v6 = fc.oneof(fc.constantFrom('::', '::1', '::ffff:a00:1', '::ffff:0:0', '::fffe:0:0'), fc.ipV6())
    const cidr = fc.oneof(fc.tuple(v4, fc.nat(32)), fc.tuple(v6, fc.oneof(fc.nat(128), fc.constantFrom(95, 96, 97))))
    const address = fc.oneof(v4, v6, fc.string({ unit: fc.constantFrom(...'0123456789.') }))
    fc.assert(
      fc.property(fc.array(cidr, { maxLength: 4 }), address, (cidrs, asked) => {
        const list = new BlockList()
        for (const [network, length] of cidrs) list.addSubnet(network, length, isIP(network) === 4 ? 'ipv4' : 'ipv6')
        const wanted = isIP(asked) !== 0 && list.check(asked, isIP(asked) === 4 ? 'ipv4' : 'ipv6')
        expect(networksOf(cidrs.map((each) => each.join('/'))).contains(asked)).toBe(wanted)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['10.1.2.3', 120],
    ['10.1.9.9', 112],
    ['10.9.9.9', 104],
    ['::ffff:10.1.2.3', 120],
    ['::ffff:a01:203', 120],
    ['192.0.2.7', 128],
    ['203.0.113.1', 96],
    ['fd00:1::1', 32],
    ['2001:db8::1', 0],
    ['not an address', undefined],
  ])('the narrowest block around %s has %s bits', (address, width) => {
    const blocks = [
      '::/0',
      '10.0.0.0/8',
      '10.1.2.0/24',
      'fd00::/8',
      '10.1.0.0/16',
      'fd00:1::/32',
      '192.0.2.7',
      '0.0.0.0/0',
    ]
    expect(networksOf(blocks).widthOf(address)).toBe(width)
  })

  it('know the narrowest block of every address, as a search through the bits does', () => {
    const bits = (address: string): bigint => {
      const quad = (text: string) => text.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n)
      if (isIP(address) === 4) return (0xffffn << 32n) + quad(address)
      const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
      const [head = [], tail = []] = groups.map((half) => half.split(':').filter((group) => group !== ''))
      const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0')
      return [...head, ...zeros, ...tail].reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n)
    }
    const width = ([network, length]: [string, number]) => (isIP(network) === 4 ? 96 : 0) + length
    const near = fc.constantFrom('10.0.0.0', '10.0.0.255', '10.0.1.0', '10.128.0.1', '0.0.0.0', '255.255.255.255')
    const v4 = fc.oneof(near, fc.ipV4())
    const v6 = fc.oneof(fc.constantFrom('::', '::1', '::ffff:a00:1', '::ffff:0:0', '::fffe:0:0', 'fd00::1'), fc.ipV6())
    const cidr = fc.oneof(fc.tuple(v4, fc.nat(32)), fc.tuple(v6, fc.nat(128)))
    fc.assert(
      fc.property(fc.array(cidr, { maxLength: 6 }), fc.oneof(v4, v6), (cidrs, asked) => {
        const around = cidrs.filter((block) => {
          const hostBits = BigInt(128 - width(block))
          return bits(block[0]) >> hostBits === bits(asked) >> hostBits
        })
        const wanted = around.length === 0 ? undefined : Math.max(...around.map(width))
        expect(networksOf(cidrs.map((each) => each.join('/'))).widthOf(asked)).toBe(wanted)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['127.0.0.1', true],
    ['127.255.0.1', true],
    ['::1', true],
    ['[::1]', true],
    ['localhost', true],
    ['::ffff:127.0.0.1', true],
    ['localhost.example', false],
    ['128.0.0.1', false],
    ['', false],
    [{ kind: 'unix', path: '/run/lmtp' }, true],
    [{ kind: 'tcp', host: 'localhost', port: 25 }, true],
    [{ kind: 'tcp', host: 'mail.example', port: 25 }, false],
    [{ family: 'unix', address: '/run/lmtp', port: 0 }, true],
    [{ family: 4, address: '127.0.0.1', port: 1 }, true],
    [{ family: 6, address: 'fe80::1', port: 1 }, false],
  ] as const)('%j is this machine: %s', (where, near) => {
    expect(isLoopback(where)).toBe(near)
  })

  it.each(['10.0.0.0/33', '10.0.0/8', '::/129', 'host', '10.0.0.0/', '10.0.0.0/8/8', ''])('%s is refused', (cidr) => {
    expect(() => networksOf([cidr])).toThrow(/not an address or CIDR block/)
  })
})

describe('a secret', () => {
  it('shows itself only when asked', () => {
    const secret = new Secret('hunter2')
    const shown = [String(secret), JSON.stringify({ secret }), inspect({ secret }), `${secret}`]
    for (const text of shown) {
      expect(text).toContain('***')
      expect(text).not.toContain('hunter2')
    }
    expect(secret.expose()).toBe('hunter2')
  })
})

describe('a cancellation', () => {
  it('tells its listener once, with the first reason', () => {
    const source = new CancellationSource()
    const heard: string[] = []
    source.onAbort = (reason) => heard.push(reason)
    source.abort('deadline')
    source.abort('closed')
    expect(heard).toEqual(['deadline'])
    expect(source.reason).toBe('deadline')
  })

  it('tells a late listener at once', () => {
    const source = new CancellationSource()
    source.abort('closed')
    const heard: string[] = []
    source.onAbort = (reason) => heard.push(reason)
    expect(heard).toEqual(['closed'])
  })

  it('has one listener: a session awaits one thing at a time', () => {
    const source = new CancellationSource()
    source.onAbort = () => {}
    expect(() => {
      source.onAbort = () => {}
    }).toThrow()
    source.onAbort = undefined
    source.onAbort = () => {}
  })

  it('makes an AbortSignal on demand, whether asked before or after', () => {
    const before = new CancellationSource()
    const signal = before.toAbortSignal()
    before.abort('closed')
    expect(signal.aborted).toBe(true)
    expect(before.toAbortSignal()).toBe(signal)
    const after = new CancellationSource()
    after.abort('closed')
    expect(after.toAbortSignal().aborted).toBe(true)
  })

  it('called NEVER can be listened to by everybody and stays silent', () => {
    NEVER.onAbort = () => expect.unreachable()
    NEVER.onAbort = () => expect.unreachable()
    expect(NEVER.toAbortSignal().aborted).toBe(false)
  })
})
