// SPDX-License-Identifier: MIT
import { validate } from '@portico/config'
import { buildTopology } from '@portico/routing'
import type { Protocol } from '@portico/session'
import { describe, expect, test } from 'vitest'
import { publicationOf } from '../src/publication.js'
import { frontEndSchema } from '../src/schema.js'
import { toy } from './toy-protocol.js'

const PORTS = {
  imap4: { plain: 143, implicit: 993 },
  smtp: { plain: 25, implicit: 465, clients: 587 },
  http: { plain: 80, implicit: 443 },
}

const protocols = (['imap4', 'smtp', 'http'] as const).map((name) => ({
  ...toy,
  name,
  ports: PORTS[name],
  ...(name === 'smtp' ? { isForClients: (_: unknown, { port }: { port: number }) => port !== 25 } : {}),
})) as unknown as readonly Protocol<never>[]

function published(publish: object, listeners: readonly string[] = ['imap4 [::]:993 implicit']) {
  const written = {
    version: 1,
    hostname: 'mail.example.com',
    networks: { office: ['10.0.0.0/8'] },
    publish,
    tls: [{ names: ['*'], certificate: { text: 'x' }, key: { text: 'x' } }],
    listeners: listeners.map((text) => {
      const [protocol, address, tls, plaintextPasswords = 'never'] = text.split(' ')
      return { protocol, address, tls, plaintextPasswords }
    }),
    credentials: [{ type: 'users-file', path: 'users' }],
    location: [{ type: 'users-file' }],
    backends: {},
  }
  const settings = validate(frontEndSchema(protocols), written)
  return publicationOf(
    settings,
    buildTopology(settings.backends, () => ''),
    protocols,
  )
}

function told(publish: object, listeners?: readonly string[], networks: readonly string[] = []) {
  return published(publish, listeners)
    .offersFor({ networks, states: new Map() })
    .map(({ protocol, host, port, tls }) => `${protocol} ${host}:${port} ${tls}`)
}

describe('what clients are told when nothing is written', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    [
      'implicit TLS comes before STARTTLS, and standard ports before others',
      ['imap4 [::]:1143 starttls', 'imap4 [::]:143 starttls', 'imap4 [::]:9993 implicit', 'imap4 [::]:993 implicit'],
      [
        'imap4 mail.example.com:993 implicit',
        'imap4 mail.example.com:9993 implicit',
        'imap4 mail.example.com:143 starttls',
        'imap4 mail.example.com:1143 starttls',
      ],
    ],
    [
      'a port of two addresses is told once',
      ['imap4 0.0.0.0:993 implicit', 'imap4 [2001:db8::1]:993 implicit'],
      ['imap4 mail.example.com:993 implicit'],
    ],
    ['loopback is nobody else’s', ['imap4 127.0.0.1:993 implicit', 'imap4 [::1]:143 starttls'], []],
    ['no TLS and no passwords is of no use', ['imap4 [::]:143 none'], []],
    ['no TLS but passwords is, as a last resort', ['imap4 [::]:143 none always'], ['imap4 mail.example.com:143 none']],
    [
      'what is not for people’s programs is not told',
      ['smtp [::]:25 starttls', 'smtp [::]:2525 starttls', 'smtp [::]:587 starttls'],
      ['smtp mail.example.com:587 starttls', 'smtp mail.example.com:2525 starttls'],
    ],
  ])('%s', (_, listeners, expected) => expect(told({}, listeners)).toEqual(expected))
})

describe('what the site writes', () => {
  test.each<[string, object, readonly string[], readonly string[]]>([
    ['a name for all', { host: 'Front.example.com' }, [], ['imap4 front.example.com:993 implicit']],
    ['a name for one', { imap4: { host: 'imap.example.com' } }, [], ['imap4 imap.example.com:993 implicit']],
    ['another way', { imap4: { tls: 'starttls' } }, [], ['imap4 mail.example.com:143 starttls']],
    ['nothing of one', { imap4: false }, [], []],
    [
      'what no listener shows',
      { http: {}, smtp: { tls: 'starttls' } },
      [],
      [
        'imap4 mail.example.com:993 implicit',
        'smtp mail.example.com:587 starttls',
        'http mail.example.com:443 implicit',
      ],
    ],
    [
      'a name for the inside, outside',
      { host: 'out.example.com', internal: { networks: ['office'], host: 'in.example.com' } },
      [],
      ['imap4 out.example.com:993 implicit'],
    ],
    [
      'a name for the inside, inside',
      { imap4: { host: 'imap.example.com', port: 1993 }, internal: { networks: ['office'], host: 'in.example.com' } },
      ['office'],
      ['imap4 in.example.com:1993 implicit'],
    ],
    ['not told of inside', { internal: { networks: ['office'], imap4: false } }, ['office'], []],
  ])('%s', (_, publish, networks, expected) => expect(told(publish, undefined, networks)).toEqual(expected))

  test('a network that nobody knows is inside of nothing', () => {
    const publication = published({ internal: { networks: ['office'] } })
    expect(publication.isInside(['office', 'other'])).toBe(true)
    expect(publication.isInside(['other'])).toBe(false)
  })
})

test('what is not active is not offered', () => {
  const publication = published({}, ['imap4 [::]:993 implicit', 'smtp [::]:465 implicit'])
  const offers = publication.offersFor({ networks: [], states: new Map([['imap4', 'draining']]) })
  expect(offers.map(({ protocol, proofs }) => [protocol, proofs])).toEqual([['smtp', ['password']]])
})
