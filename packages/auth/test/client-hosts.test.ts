// SPDX-License-Identifier: MIT
import { createFakeClock } from '@portico/testkit'
import { expect, test } from 'vitest'
import { createClientHosts, type Dns } from '../src/sources/client-hosts.js'

const at = (address: string) => ({ address, port: 4711, family: address.includes(':') ? (6 as const) : (4 as const) })
const fails = (code: string) => Promise.reject(Object.assign(new Error(code), { code }))

/** A DNS in which the client is called mail.example.org, and that name leads to `back`. */
function dnsWith(back: readonly string[], name = 'mail.example.org'): Dns & { asked: number } {
  const dns = {
    asked: 0,
    async reverse() {
      dns.asked += 1
      return [name]
    },
    resolve4: async () => back,
    resolve6: async () => back,
  }
  return dns as unknown as Dns & { asked: number }
}

test.each([
  ['the name', '192.0.2.7', dnsWith(['192.0.2.8', '192.0.2.7']), 'mail.example.org'],
  [
    'the name of an IPv6 address, however it is written',
    '2001:db8::7',
    dnsWith(['2001:DB8:0:0::7']),
    'mail.example.org',
  ],
  ['a name that leads elsewhere', '192.0.2.7', dnsWith(['192.0.2.8']), '[UNAVAILABLE]'],
  [
    'a name that would break the question',
    '192.0.2.7',
    dnsWith(['192.0.2.7'], 'a b\r\nAuth-Status: OK'),
    '[UNAVAILABLE]',
  ],
  ['no name', '192.0.2.7', { ...dnsWith([]), reverse: () => fails('ENOTFOUND') }, '[UNAVAILABLE]'],
  ['a name without an address', '192.0.2.7', { ...dnsWith([]), resolve4: () => fails('ENODATA') }, '[UNAVAILABLE]'],
  ['no answer', '192.0.2.7', { ...dnsWith([]), reverse: () => fails('ETIMEOUT') }, '[TEMPUNAVAIL]'],
] as const)('%s', async (_label, address, dns, name) => {
  expect(await createClientHosts(createFakeClock(), dns as Dns).nameOf(at(address))).toBe(name)
})

test('a Unix socket has no name', async () => {
  const end = { address: '/run/x', port: 0, family: 'unix' } as const
  expect(await createClientHosts(createFakeClock(), dnsWith([])).nameOf(end)).toBeUndefined()
})

test('an answer is remembered for five minutes, a failure is not, and one question at a time is enough', async () => {
  const clock = createFakeClock()
  const dns = dnsWith(['192.0.2.7'])
  const hosts = createClientHosts(clock, dns)
  await Promise.all([hosts.nameOf(at('192.0.2.7')), hosts.nameOf(at('192.0.2.7'))])
  await hosts.nameOf(at('192.0.2.7'))
  expect(dns.asked).toBe(1)
  await clock.advance(300_001)
  await hosts.nameOf(at('192.0.2.7'))
  expect(dns.asked).toBe(2)
  let down = true
  const shaky = { ...dnsWith(['192.0.2.7']), reverse: () => (down ? fails('ESERVFAIL') : Promise.resolve(['a.lan'])) }
  const others = createClientHosts(clock, shaky as unknown as Dns)
  expect(await others.nameOf(at('192.0.2.7'))).toBe('[TEMPUNAVAIL]')
  down = false
  expect(await others.nameOf(at('192.0.2.7'))).toBe('a.lan')
})
