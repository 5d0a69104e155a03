// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { xclientAttributes } from '../../src/backend/xclient.js'
import { parseXclient, XCLIENT_ATTRIBUTES } from '../../src/connector/xclient-attributes.js'

const NOTHING = {
  address: undefined,
  port: undefined,
  localAddress: undefined,
  localPort: undefined,
  sessionId: undefined,
  ttl: undefined,
}

test.each<[string, string, object]>([
  ['an address', 'ADDR=192.0.2.7', { address: '192.0.2.7' }],
  ['names in any case', 'addr=192.0.2.7 Port=25', { address: '192.0.2.7', port: '25' }],
  ['an IPv6 address', 'ADDR=IPV6:2001:db8::7', { address: '2001:db8::7' }],
  ['its prefix in any case', 'ADDR=IPv6:::1', { address: '::1' }],
  ['an address in xtext', 'ADDR=192+2E0.2.7', { address: '192.0.2.7' }],
  ['both ends', 'DESTADDR=192.0.2.1 DESTPORT=25', { localAddress: '192.0.2.1', localPort: '25' }],
  ['a session', 'SESSION=a+2Bb+3D', { sessionId: 'a+b=' }],
  ['how far it may go', 'TTL=3', { ttl: '3' }],
  ['what is read and not used', 'NAME=mx.far.example PROTO=SMTP HELO=[192.0.2.7]', {}],
  ['an address that is not known', 'ADDR=[UNAVAILABLE]', { address: '0.0.0.0' }],
  ['an address that is not known for now', 'ADDR=[tempunavail]', { address: '0.0.0.0' }],
  ['what else is not known', 'NAME=[TEMPUNAVAIL] PORT=[UNAVAILABLE] PROTO=[UNAVAILABLE] HELO=[UNAVAILABLE]', {}],
])('%s is read', (_label, text, facts) => {
  expect(parseXclient(text)).toEqual({ ...NOTHING, ...facts })
})

test.each<[string, string]>([
  ['nothing', ''],
  ['no value', 'ADDR'],
  ['an empty value', 'ADDR='],
  ['no name', '=192.0.2.7'],
  ['an unknown name', 'COLOR=red'],
  ['a name of every object', 'constructor=x'],
  ['a login', 'LOGIN=alice'],
  ['no login', 'LOGIN=[UNAVAILABLE]'],
  ['a name given twice', 'PORT=1 PORT=2'],
  ['a name given twice in another case', 'PORT=1 port=1'],
  ['a second space', 'PORT=1  ADDR=192.0.2.7'],
  ['a tab', 'PORT=1\tADDR=192.0.2.7'],
  ['an IPv6 address without its prefix', 'ADDR=2001:db8::7'],
  ['an IPv4 address with the prefix', 'ADDR=IPV6:192.0.2.7'],
  ['an IPv6 address with a zone', 'ADDR=IPV6:fe80::1%eth0'],
  ['leading zeros', 'ADDR=192.0.02.7'],
  ['a host name for an address', 'ADDR=far.example'],
  ['a port that is too large', 'PORT=65536'],
  ['a signed port', 'PORT=-1'],
  ['another protocol', 'PROTO=LMTP'],
  ['a broken escape', 'HELO=a+2'],
  ['an escape in lower case', 'SESSION=a+2b'],
  ['an escaped line end', 'SESSION=a+0D+0Ab'],
  ['an escaped NUL', 'NAME=a+00'],
  ['an escaped space', 'HELO=a+20b'],
  ['an octet above 127', 'HELO=b+C3+BCcher'],
  ['an equals sign', 'SESSION=a=b'],
  ['a name that nobody can greet with', 'HELO=a!b'],
  ['a number of hops that is none', 'TTL=-1'],
  ['a number of hops without end', 'TTL=1000'],
  ['a long session', `SESSION=${'s'.repeat(129)}`],
])('%s is not taken', (_label, text) => {
  expect(parseXclient(text)).toBeUndefined()
})

test('what we say to backends we would take ourselves', () => {
  const address = fc.oneof(
    fc.ipV4().map((text) => ({ address: text, family: 4 as const })),
    fc.ipV6().map((text) => ({ address: text, family: 6 as const })),
  )
  const end = fc.tuple(address, fc.nat(65_535)).map(([one, port]) => ({ ...one, port }))
  const session = fc.string({ minLength: 1, maxLength: 40 }).filter((text) => /^[!-~]+$/.test(text))
  fc.assert(
    fc.property(end, end, session, fc.nat(5), (peer, local, sessionId, remainingHops) => {
      const client = { peer, local, helo: 'pc.test.lan', protocol: 'ESMTP' as const, sessionId, remainingHops }
      const wish = { client, login: undefined, left: new Set<string>() }
      const said = xclientAttributes(wish, new Set(XCLIENT_ATTRIBUTES.split(' ')))
      const read = parseXclient(said.map(([name, value]) => `${name}=${value}`).join(' '))
      expect(read).toEqual({
        address: peer.address,
        port: String(peer.port),
        localAddress: local.address,
        localPort: String(local.port),
        sessionId,
        ttl: String(remainingHops),
      })
    }),
  )
})
