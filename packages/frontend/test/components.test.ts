// SPDX-License-Identifier: MIT
import { ConfigError } from '@portico/config'
import { createFrontEnd } from '@portico/frontend'
import type { Services } from '@portico/session'
import { expect, test } from 'vitest'
import { Client, toy } from './toy-protocol.js'

const CONFIG = {
  version: 1,
  listeners: [{ protocol: 'toy', address: '127.0.0.1:0', tls: 'none' }],
  credentials: [{ type: 'deferred' }],
  location: [{ type: 'hash', group: 'one' }],
  backends: { one: { toy: { endpoints: ['127.0.0.1:1'] } } },
}

const roomy = { ...toy, components: () => ['hall', 'cellar'] }

async function problemsOf(components: object, otherProtocols: { readonly name: string }[] = []): Promise<string[]> {
  try {
    await using _ = await createFrontEnd({ config: { ...CONFIG, components }, protocols: [roomy], otherProtocols })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ path, expectation }) => `${path.join('.')}: ${expectation}`)
  }
}

test('what a configuration says of a component holds for sessions that are open, too', async () => {
  let services: Services | undefined
  const watched: typeof roomy = {
    ...roomy,
    serve: (session, settings) => {
      services = session.services
      return toy.serve(session, settings)
    },
  }
  await using frontEnd = await createFrontEnd({ config: CONFIG, protocols: [watched] })
  const client = Client.to(frontEnd.listeners[0]?.port ?? 0)
  await client.line()
  const stateOf = (name: string) => services?.states().get(name) ?? 'active'
  expect(stateOf('cellar')).toBe('active')
  await frontEnd.reload({ ...CONFIG, components: { cellar: 'inactive', toy: 'active' } })
  expect([stateOf('cellar'), stateOf('hall'), stateOf('toy')]).toEqual(['inactive', 'active', 'active'])
  await frontEnd.reload(CONFIG)
  expect(stateOf('cellar')).toBe('active')
})

test('a leaving node drains what it hosts, whatever was said of it', async () => {
  const seen: (string | undefined)[] = []
  const watched: typeof roomy = {
    ...roomy,
    serve: (session) =>
      new Promise((resolve) => {
        session.onDrain = () => {
          const states = session.services.states()
          seen.push(states.get('toy'), states.get('cellar'))
          resolve('draining')
        }
        session.leg.writeText('ready\r\n')
      }),
  }
  const config = { ...CONFIG, components: { toy: 'active', cellar: 'inactive' } }
  await using frontEnd = await createFrontEnd({ config, protocols: [watched] })
  const client = Client.to(frontEnd.listeners[0]?.port ?? 0)
  await client.line()
  await frontEnd.drain()
  expect(seen).toEqual(['draining', 'inactive'])
})

test('a component that nobody looks at is refused', async () => {
  expect(await problemsOf({ hall: 'inactive', toy: 'active' })).toEqual([])
  expect(await problemsOf({ attic: 'inactive' })).toEqual([
    'components.attic: expected one of the components toy, hall, cellar',
  ])
})

test('but not where the file is also that of other processes, which may look at it', async () => {
  expect(await problemsOf({ attic: 'inactive' }, [{ name: 'other' }])).toEqual([])
})
