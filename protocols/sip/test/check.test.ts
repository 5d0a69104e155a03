// SPDX-License-Identifier: MIT
import { checkConfiguration } from '@portico/frontend'
import { sip } from '@portico/sip'
import { describe, expect, test } from 'vitest'

const SETTINGS = { domains: ['example.com'], peers: { networks: ['gateways'] } }

function checked(settings: object, more: object = {}): Promise<{ readonly warnings: readonly string[] }> {
  return checkConfiguration({
    protocols: [sip],
    config: {
      version: 1,
      networks: { gateways: ['192.0.2.0/24'] },
      listeners: [{ protocol: 'sip', address: '127.0.0.1:5060', tls: 'none', transport: 'udp' }],
      credentials: [{ type: 'deferred' }],
      location: [{ type: 'hash', group: 'mbx1', domains: ['example.com'] }],
      backends: { mbx1: { sip: { endpoints: ['um1.example.com:5062'], transport: 'tcp' } } },
      sip: settings,
      ...more,
    },
  })
}

describe('a configuration of SIP', () => {
  test('points at servers without TLS on other hosts, since nothing is sent there from here', async () => {
    await expect(checked(SETTINGS)).resolves.toMatchObject({ warnings: [] })
  })

  test.each([
    ['without domains', { ...SETTINGS, domains: [] }, {}, 'sip.domains: expected the domains that mailboxes lie in'],
    [
      'that would answer nobody',
      { domains: ['example.com'] },
      {},
      'sip.peers: expected networks or certificates of peers',
    ],
    [
      'with a network that there is not',
      { ...SETTINGS, peers: { networks: ['x'] } },
      {},
      'sip.peers.networks[0]: expected',
    ],
    [
      'with STARTTLS',
      SETTINGS,
      { listeners: [{ protocol: 'sip', address: '127.0.0.1:5060', tls: 'starttls' }] },
      'listeners[0].tls: expected none or implicit: SIP has no STARTTLS',
    ],
    [
      'with an identity, which nobody would be told',
      SETTINGS,
      { backends: { mbx1: { sip: { endpoints: ['um1.example.com:5062'], identity: 'master' } } } },
      'backends.mbx1.sip.identity',
    ],
  ])('%s is refused', async (_label, settings, more, message) => {
    await expect(checked(settings, more)).rejects.toThrow(message)
  })

  test.each([
    ['certificates make peers', { domains: ['example.com'], peers: { certificates: true } }],
    ['everybody may be answered', { domains: ['example.com'], strangers: 'answer' }],
  ])('%s', async (_label, settings) => {
    await expect(checked(settings)).resolves.toBeDefined()
  })
})
