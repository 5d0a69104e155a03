// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { chooseConnector } from '../../src/connector/choose-connector.js'
import { smtpSchema } from '../../src/schema.js'

const settings = smtpSchema.parse({
  connectors: {
    lab: { remote: ['192.168.1.75'] },
    office: { remote: ['192.168.1.0/24', '2001:db8::/32'] },
    world: { remote: ['0.0.0.0/0', '::/0'] },
    rest: {},
    partner: {},
  },
})

const from = (address: string) => ({
  address,
  port: 4711,
  family: address.startsWith('/') ? ('unix' as const) : address.includes(':') ? (6 as const) : (4 as const),
})

describe('of the connectors of a listener the one is taken that holds the client most closely', () => {
  const all = { connectors: ['rest', 'world', 'office', 'lab'] }

  test.each<[string, string, object, string | undefined]>([
    ['an address of its own', '192.168.1.75', all, 'lab'],
    ['the narrowest block', '192.168.1.76', all, 'office'],
    ['the widest block', '192.168.2.75', all, 'world'],
    ['a mapped address is the IPv4 one', '::ffff:192.168.1.75', all, 'lab'],
    ['an IPv6 block', '2001:db8::1', all, 'office'],
    ['the widest IPv6 block', '2001:db9::1', all, 'world'],
    ['one without blocks holds what no block can', '/run/portico/smtp', all, 'rest'],
    ['their order does not count', '192.168.1.75', { connectors: ['lab', 'office', 'world', 'rest'] }, 'lab'],
    ['what is not named is not looked at', '192.168.1.75', { connectors: ['rest', 'world'] }, 'world'],
    ['nobody may hold it', '192.168.2.1', { connectors: ['lab', 'office'] }, undefined],
    ['the only one may not hold it', '192.168.1.76', { connector: 'lab' }, undefined],
    ['partner holds nobody until the site says whom', '192.168.1.75', { connector: 'partner' }, undefined],
    ['an unknown name allows nothing', '192.168.1.75', { connector: 'nosuch' }, undefined],
  ])('%s', (_label, address, options, name) => {
    expect(chooseConnector(settings, options, from(address), 25)?.name).toBe(name)
  })
})

describe('a listener that names no connector', () => {
  const partners = smtpSchema.parse({ connectors: { partner: { remote: ['192.0.2.0/24'] } } })

  test.each<[string, string, object, number, string]>([
    ['port 25 is inbound', '198.51.100.1', {}, 25, 'inbound'],
    ['port 25 is for partners too', '192.0.2.1', {}, 25, 'partner'],
    ['port 587 is for submission', '192.0.2.1', {}, 587, 'client'],
    ['port 465 is for submission', '192.0.2.1', {}, 465, 'client'],
    ['any other port is for submission', '192.0.2.1', {}, 2525, 'client'],
    ['a name counts more than the port', '192.0.2.1', { connector: 'inbound' }, 587, 'inbound'],
  ])('%s', (_label, address, options, port, name) => {
    expect(chooseConnector(partners, options, from(address), port)?.name).toBe(name)
  })
})
