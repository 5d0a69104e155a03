// SPDX-License-Identifier: MIT
import { NEVER } from '@portico/base'
import { describe, expect, test } from 'vitest'
import { reverseName } from '../../src/agents/dns/dns-name.js'
import { faultsOfName } from '../../src/agents/helo/hello-faults.js'
import { lookUpName } from '../../src/agents/helo/hello-lookups.js'
import { iprevOf } from '../../src/agents/helo/iprev.js'
import { isHelloName } from '../../src/parse.js'
import { type FakeEntry, fakeResolver } from './fake-resolver.js'

const SITE = {
  ownNames: new Set(['portico.test.lan', 'test.lan']),
  ownAddress: '192.0.2.1',
  client: '198.51.100.7',
}
const SIX = { ...SITE, ownAddress: '2001:db8::1', client: '2001:db8:0:1::7' }

describe('a name behind EHLO by itself', () => {
  test.each<[label: string, name: string, faults: readonly string[], site?: Parameters<typeof faultsOfName>[1]]>([
    ['a name', 'mail.far.example', []],
    ['a name with the dot of the root', 'mail.far.example.', []],
    ['a name with an underscore', 'my_pc.far.example', []],
    ['an internationalized name', 'xn--exmple-cua.example', []],
    ['our own name', 'Portico.Test.LAN', ['own-name']],
    ['our own domain', 'test.lan', ['own-name']],
    ['a host below our domain', 'printer.test.lan', []],
    ['our own name from our own host', 'portico.test.lan', [], { ...SITE, client: '192.0.2.1' }],
    ['our own name by a Unix socket', 'portico.test.lan', [], { ...SITE, client: undefined }],
    ['the address of the client', '[198.51.100.7]', []],
    ['another address', '[198.51.100.8]', ['foreign-literal']],
    ['our own address', '[192.0.2.1]', ['own-name', 'foreign-literal']],
    ['any address by a Unix socket', '[198.51.100.8]', [], { ...SITE, client: undefined }],
    ['the IPv6 address of the client', '[IPv6:2001:DB8:0:1:0:0:0:7]', [], SIX],
    ['another IPv6 address', '[IPv6:2001:db8::7]', ['foreign-literal'], SIX],
    ['an IPv6 address without its tag', '[2001:db8::7]', ['bad-syntax'], SIX],
    ['an address that is none', '[300.1.1.1]', ['bad-syntax']],
    ['a literal of another kind', '[x-host:abc]', ['bad-syntax']],
    ['an address without brackets', '198.51.100.7', ['bare-address']],
    ['a mangled address', '198.51.100', ['bad-syntax']],
    ['localhost', 'localhost', ['no-dot']],
    ['a name of a local network', 'WORKSTATION', ['no-dot']],
    ['a number', '12345', ['bad-syntax', 'no-dot']],
    ['an empty label', 'a..example', ['bad-syntax']],
    ['a label that begins with a hyphen', 'a.-b.example', ['bad-syntax']],
    ['a label of 64 letters', `${'a'.repeat(64)}.example`, ['bad-syntax']],
  ])('%s', (_label, name, faults, site = SITE) => {
    expect(isHelloName(name)).toBe(true)
    expect(faultsOfName(name, site)).toEqual(faults)
  })
})

describe('a name behind EHLO in the DNS', () => {
  test.each<[label: string, entries: readonly FakeEntry[], found: string | undefined]>([
    ['that has the address of the client', [['mail.far.example', 'A', ['198.51.100.1', '198.51.100.7']]], undefined],
    ['that has another one', [['mail.far.example', 'A', ['198.51.100.1']]], 'other-address'],
    ['that has one of the other family', [['mail.far.example', 'AAAA', ['2001:db8::9']]], 'other-address'],
    [
      'that has a mail server',
      [['mail.far.example', 'MX', [{ exchange: 'mx.far.example', preference: 5 }]]],
      'other-address',
    ],
    ['that nobody has', [], 'unresolvable'],
    ['that has text alone', [['mail.far.example', 'TXT', ['v=spf1 -all']]], 'unresolvable'],
    ['about which the DNS fails', [['mail.far.example', 'A', 'servfail']], 'unknown'],
    ['about which it fails late', [['mail.far.example', 'MX', 'timeout']], 'unknown'],
  ])('%s', async (_label, entries, found) => {
    expect(await lookUpName('mail.far.example', '198.51.100.7', fakeResolver(entries), NEVER)).toBe(found)
  })

  test('nobody is asked about a literal', async () => {
    const resolver = fakeResolver()
    expect(await lookUpName('[198.51.100.7]', '198.51.100.7', resolver, NEVER)).toBeUndefined()
    expect(resolver.asked).toEqual([])
  })
})

describe('iprev (RFC 8601 section 3)', () => {
  const reverse = reverseName('198.51.100.7') ?? ''

  test.each<[label: string, entries: readonly FakeEntry[], result: object]>([
    [
      'a name that leads back',
      [
        [reverse, 'PTR', ['other.example', 'mail.far.example']],
        ['mail.far.example', 'A', ['198.51.100.7']],
      ],
      { result: 'pass', name: 'mail.far.example' },
    ],
    [
      'a name that leads elsewhere',
      [
        [reverse, 'PTR', ['mail.far.example']],
        ['mail.far.example', 'A', ['198.51.100.8']],
      ],
      { result: 'fail' },
    ],
    ['a name that nobody has', [[reverse, 'PTR', ['mail.far.example']]], { result: 'fail' }],
    ['no name', [], { result: 'permerror' }],
    ['no answer', [[reverse, 'PTR', 'timeout']], { result: 'temperror' }],
    [
      'no answer about the name',
      [
        [reverse, 'PTR', ['other.example', 'mail.far.example']],
        ['mail.far.example', 'A', 'servfail'],
      ],
      { result: 'temperror' },
    ],
  ])('%s', async (_label, entries, result) => {
    expect(await iprevOf('198.51.100.7', fakeResolver(entries), NEVER)).toEqual(result)
  })

  test('IPv6 addresses are asked for as such, and compared however they are written', async () => {
    const resolver = fakeResolver([
      [reverseName('2001:db8::7') ?? '', 'PTR', ['six.far.example']],
      ['six.far.example', 'AAAA', ['2001:DB8:0:0:0:0:0:7']],
    ])
    expect(await iprevOf('2001:db8::7', resolver, NEVER)).toEqual({ result: 'pass', name: 'six.far.example' })
  })

  test('of a hundred names a few are followed', async () => {
    const names = Array.from({ length: 100 }, (_, at) => `n${at}.example`)
    const resolver = fakeResolver([[reverse, 'PTR', names]])
    expect(await iprevOf('198.51.100.7', resolver, NEVER)).toEqual({ result: 'fail' })
    expect(resolver.asked).toHaveLength(6)
  })
})
