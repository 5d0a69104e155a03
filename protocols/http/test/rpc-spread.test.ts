// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import { CancellationSource, type Principal, Secret } from '@portico/base'
import { backendsSchema, buildTopology, createRouter, isAddress } from '@portico/routing'
import type { Session } from '@portico/session'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseRequestHead } from '../src/codec/head.js'
import { type Directory, directorySchema } from '../src/directory/schema.js'
import { anchorOf } from '../src/routing/anchors.js'
import { routeFor } from '../src/routing/route-for.js'

const DIRECTORY = directorySchema.parse({ preset: 'rpc' }) as Directory

interface Site {
  readonly endpoints: readonly string[]
  /** Whose mailboxes everybody may open. */
  readonly shared: string
}

/** What one process of a node makes of a channel: the servers that it would try, in their order. */
async function candidatesFor({ endpoints, shared }: Site, user: string, query: string): Promise<readonly string[]> {
  const topology = buildTopology(backendsSchema(['http'], []).parse({ web: { http: { endpoints } } }), () => '')
  const head = parseRequestHead(Buffer.from(`RPC_IN_DATA /rpc/rpcproxy.dll${query} HTTP/1.1\r\nHost: x\r\n\r\n`), {
    head: 65_536,
    target: 8_192,
    fields: 100,
  })
  if (head.kind !== 'request') throw new Error(JSON.stringify(head))
  const anchor = anchorOf(DIRECTORY.anchors, { rest: '/rpcproxy.dll', query, fields: head.fields, user: undefined })
  const session = {
    id: 's1',
    protocol: 'http',
    networks: [],
    hops: 0,
    signal: new CancellationSource(),
    record: { begin() {}, finish() {} },
    services: {
      authenticator: {
        accountOf: (name: string) => name,
        mayActFor: (_: Principal, mailbox: string) => mailbox === shared,
      },
      locator: {
        locate: async (who: Principal) => {
          if (isAddress(who)) throw new Error('a principal was expected')
          return { kind: 'found', location: { group: 'web', source: 'test' } }
        },
      },
      router: createRouter(topology),
      states: () => new Map(),
      log: { debug() {} },
    },
  } as unknown as Session
  const principal = { ...NOBODY, authcid: user, user }
  const signedIn = { kind: 'authenticated', principal, deferred: false } as unknown as Authenticated
  const route = await routeFor(session, signedIn, DIRECTORY, anchor, { encrypted: true })
  if (route.kind !== 'proxy') throw new Error(route.kind)
  return route.candidates.map(({ id }) => id)
}

const NOBODY: Principal = {
  authcid: '',
  user: '',
  mechanism: 'BASIC',
  strength: 'plain',
  proof: { password: new Secret('secret') },
  source: 'test',
  epoch: '1',
  fields: new Map(),
}

const names = fc.stringMatching(/^[a-z][a-z0-9-]{0,11}@[a-z]{1,8}\.example$/)
const servers = fc.uniqueArray(fc.integer({ min: 1, max: 250 }), { minLength: 2, maxLength: 6 })

test('all channels of a virtual connection come to one server, and go on together when it is lost', async () => {
  await fc.assert(
    fc.asyncProperty(names, names, servers, fc.nat(), fc.boolean(), async (user, shared, hosts, at, opens) => {
      const endpoints = hosts.map((host) => `http://127.0.0.${host}:80`)
      const mailbox = opens ? shared : user
      const ask = (site: Site, port: number) => candidatesFor(site, user, `?${mailbox}:${port}`)
      const all = await ask({ endpoints, shared }, 6001)
      // Another process, which has the servers in another order; a channel that comes to replace one; the other services.
      const turned = [...endpoints.slice(at % endpoints.length), ...endpoints.slice(0, at % endpoints.length)]
      for (const port of [6001, 6002, 6004]) expect(await ask({ endpoints: turned, shared }, port)).toEqual(all)
      // Without its first server everybody's order is what it was, so that no one else moves.
      const left = endpoints.filter((endpoint) => !all[0]?.includes(endpoint.replace('http://', '')))
      expect(await ask({ endpoints: left, shared }, 6001)).toEqual(all.slice(1))
    }),
    { numRuns: 100 },
  )
})

test('users are spread over the servers', async () => {
  const endpoints = ['http://127.0.0.1:80', 'http://127.0.0.2:80', 'http://127.0.0.3:80']
  const firsts = new Set<string | undefined>()
  for (let index = 0; index < 30; index += 1) {
    const [first] = await candidatesFor({ endpoints, shared: '' }, `user${index}@a.example`, `?mbx:6001`)
    firsts.add(first)
  }
  expect(firsts.size).toBe(3)
})
