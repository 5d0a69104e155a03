// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { checkConfiguration, createFrontEnd, type FrontEnd, listenFailure } from '@portico/frontend'
import { createFakeClock, testCertificates } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { Client, keptLog, toy } from './toy-protocol.js'

function configOf(over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    version: 1,
    networks: { here: ['127.0.0.0/8'], elsewhere: ['192.0.2.0/24'] },
    listeners: [{ protocol: 'toy', address: '127.0.0.1:0', tls: 'none' }],
    credentials: [{ type: 'deferred' }],
    location: [{ type: 'hash', group: 'one' }],
    backends: { one: { toy: { endpoints: ['127.0.0.1:1'] } } },
    ...over,
  }
}

const portOf = (frontEnd: FrontEnd, index = 0) => frontEnd.listeners[index]?.port ?? 0

describe('a front end', () => {
  test('serves sessions and writes one line for each when it ends', async () => {
    const { log, line } = keptLog()
    await using frontEnd = await createFrontEnd({ config: configOf(), protocols: [toy], log })
    const client = Client.to(portOf(frontEnd))
    expect(await client.line()).toBe('hello hall')
    const [id, networks] = ((await client.ask('who')) ?? '').split(' ')
    expect(networks).toBe('here')
    expect(frontEnd.sessions).toBe(1)
    client.socket.write('quit\r\n')
    const ended = await line('session ended')
    expect(ended.facts).toMatchObject({
      session: id,
      protocol: 'toy',
      client: '127.0.0.1',
      reason: 'logout',
      bytesIn: 11,
    })
    expect(await client.line()).toBeUndefined()
    expect(frontEnd.sessions).toBe(0)
  })

  test('session ids are short, different and in the order of time', async () => {
    await using frontEnd = await createFrontEnd({ config: configOf(), protocols: [toy] })
    const ids: string[] = []
    for (let i = 0; i < 5; i++) {
      const client = Client.to(portOf(frontEnd))
      await client.line()
      ids.push(((await client.ask('who')) ?? '').split(' ')[0] ?? '')
    }
    expect(new Set(ids).size).toBe(5)
    expect([...ids].sort()).toEqual(ids)
    for (const id of ids) expect(id).toMatch(/^[0-9a-z]{15}$/)
  })

  test('a bug in one session is logged with its stack and hurts no other', async () => {
    const { log, line } = keptLog()
    await using frontEnd = await createFrontEnd({ config: configOf(), protocols: [toy], log })
    const [good, bad] = [Client.to(portOf(frontEnd)), Client.to(portOf(frontEnd))]
    await good.line()
    await bad.line()
    expect(await bad.ask('bug')).toBeUndefined()
    const { error } = (await line('a session failed: this is a bug')).facts
    expect((error as Error).stack).toContain('toy-protocol')
    expect((await line('session ended')).facts).toMatchObject({ reason: 'server-bug' })
    expect(await good.ask('still here')).toBe('still here')
  })

  test('draining stops accepting, tells every session and ends when the last one has', async () => {
    const { log, line } = keptLog()
    const frontEnd = await createFrontEnd({ config: configOf(), protocols: [toy], log })
    const port = portOf(frontEnd)
    const client = Client.to(port)
    await client.line()
    await frontEnd.drain()
    expect((await line('session ended')).facts).toMatchObject({ reason: 'draining' })
    expect(frontEnd.sessions).toBe(0)
    const late = connect({ port, host: '127.0.0.1' })
    const [error] = await once(late, 'error')
    expect(error.code).toBe('ECONNREFUSED')
  })

  test('a session whose handshake ends while the others drain is told as well', async () => {
    const { server } = testCertificates()
    const seen: boolean[] = []
    const told = {
      ...toy,
      serve: async (...[session]: Parameters<typeof toy.serve>) => {
        seen.push(session.draining)
        if (!session.draining) {
          await new Promise<void>((resolve) => {
            session.signal.onAbort = () => resolve()
          })
        }
        return 'draining' as const
      },
    }
    const config = configOf({
      tls: [{ names: ['localhost'], certificate: { text: server.certificate }, key: { text: server.key } }],
      listeners: [{ protocol: 'toy', address: '127.0.0.1:0', tls: 'implicit' }],
    })
    await using frontEnd = await createFrontEnd({ config, protocols: [told] })
    const port = portOf(frontEnd)
    const slow = connect({ port, host: '127.0.0.1' })
    await once(slow, 'connect')
    const staying = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    while (seen.length < 1) await new Promise((resolve) => setImmediate(resolve))
    void frontEnd.drain()
    connectTls({ socket: slow, rejectUnauthorized: false }).on('error', () => undefined)
    while (seen.length < 2) await new Promise((resolve) => setImmediate(resolve))
    expect(seen).toEqual([false, true])
    staying.destroy()
  })

  test('a session that will not finish is dropped after the drain time', async () => {
    const clock = createFakeClock()
    const stubborn = {
      ...toy,
      serve: async (...[session]: Parameters<typeof toy.serve>) => {
        await new Promise<void>((resolve) => {
          session.signal.onAbort = () => resolve()
        })
        return 'client-closed' as const
      },
    }
    const { log } = keptLog()
    const frontEnd = await createFrontEnd({
      config: configOf({ limits: { drain: '5s' } }),
      protocols: [stubborn],
      clock,
      log,
    })
    const client = Client.to(portOf(frontEnd))
    await once(client.socket, 'connect')
    while (frontEnd.sessions === 0) await new Promise((resolve) => setImmediate(resolve))
    let drained = false
    const draining = frontEnd.drain().then(() => {
      drained = true
    })
    await clock.advance(4_000)
    expect(drained).toBe(false)
    await clock.advance(2_000)
    await draining
    expect(frontEnd.sessions).toBe(0)
  })

  test.each(['the node', 'its listener'])(
    'when %s goes, a session that heeds nothing is destroyed in the end',
    async (who) => {
      const clock = createFakeClock()
      const deaf = {
        ...toy,
        serve: async (...[session]: Parameters<typeof toy.serve>) => {
          const gone = new Promise<void>((resolve) => {
            const { leg } = session
            leg.setReader({ onBytes: (view) => view.length, onDrain() {}, onPeerEnd() {}, onEnd: () => resolve() })
          })
          await gone
          return 'client-closed' as const
        },
      }
      const limits = { drain: '5s', linger: '2s' }
      const first = { protocol: 'toy', address: '127.0.0.1:0', tls: 'none' }
      const config = configOf({ limits, listeners: [first] })
      await using frontEnd = await createFrontEnd({ config, protocols: [deaf], clock })
      const client = Client.to(portOf(frontEnd))
      await once(client.socket, 'connect')
      while (frontEnd.sessions === 0) await new Promise((resolve) => setImmediate(resolve))
      if (who === 'the node') void frontEnd.drain()
      else await frontEnd.reload(configOf({ limits, listeners: [{ ...first, address: '127.0.0.2:0' }] }))
      await clock.advance(6_900)
      expect(frontEnd.sessions).toBe(1)
      await clock.advance(400)
      expect(frontEnd.sessions).toBe(0)
      expect(await client.line()).toBeUndefined()
    },
  )
})

describe('listening', () => {
  test('a socket that another process handed over is used', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const received = new Map([['toy 127.0.0.1:0', server]])
    await using frontEnd = await createFrontEnd({ config: configOf(), protocols: [toy], received })
    expect(portOf(frontEnd)).toBe((server.address() as AddressInfo).port)
    await new Promise((resolve) => server.close(resolve))
  })

  test('a port that needs a right names the ways out', () => {
    const cause = Object.assign(new Error('listen EACCES'), { code: 'EACCES' })
    const { message } = listenFailure(cause, { kind: 'tcp', host: '::', port: 143 })
    expect(message).toMatch(/^cannot listen on \[::\]:143: .*CAP_NET_BIND_SERVICE.*setcap/)
  })

  test('other protocols of the same file are passed over', async () => {
    const listeners = [
      { protocol: 'imap4', address: 'nonsense', whatever: 1 },
      { protocol: 'toy', address: '127.0.0.1:0', tls: 'none' },
    ]
    const config = configOf({ listeners, imap4: { anything: true } })
    await expect(createFrontEnd({ config, protocols: [toy] })).rejects.toThrow(/imap4: unknown key/)
    await using frontEnd = await createFrontEnd({ config, protocols: [toy], otherProtocols: [{ name: 'imap4' }] })
    expect(frontEnd.listeners.map(({ protocol }) => protocol)).toEqual(['toy'])
  })

  const delivery = (more: object = {}) => ({ 'toy-delivery': { endpoints: ['127.0.0.1:1'], ...more } })

  test('what only backends speak is nobody the users of its group are asserted to', async () => {
    const backends = { one: { identity: { header: { name: 'X-User' } }, ...delivery() } }
    const { settings } = await checkConfiguration({ config: configOf({ backends }), protocols: [toy] })
    expect([...settings.protocols.keys()]).toEqual(['toy'])
    expect(settings.backends['one']?.protocols.get('toy-delivery')?.identity).toBe('none')
  })

  test.each([
    [
      'a listener',
      { listeners: [{ protocol: 'toy-delivery', address: '127.0.0.1:0', tls: 'none' }] },
      /listeners\[0\]/,
    ],
    ['settings', { 'toy-delivery': {} }, /toy-delivery: unknown key/],
    ['sign-ins', { accessRules: [{ name: 'a', protocols: ['toy-delivery'], action: 'deny' }] }, /accessRules/],
    [
      'an identity that it has no word for',
      { backends: { one: delivery({ identity: 'password' }) } },
      /backends\.one\.toy-delivery\.identity: expected xclient, none for toy-delivery/,
    ],
    [
      'an identity that trusts, where nothing is proved',
      { backends: { one: delivery({ identity: 'xclient' }) } },
      /backends\.one: expected identity none for toy-delivery/,
    ],
  ])('what only backends speak has no %s', async (_what, more, message) => {
    await expect(checkConfiguration({ config: configOf(more), protocols: [toy] })).rejects.toThrow(message)
  })

  test('what only backends of a protocol speak that is not hosted here is passed over as well', async () => {
    const checked = checkConfiguration({
      config: configOf({
        listeners: [{ protocol: 'other', address: '127.0.0.1:0', tls: 'none' }],
        backends: { one: delivery() },
      }),
      protocols: [{ ...toy, name: 'other', deliveries: [] }],
      otherProtocols: [toy],
    })
    await expect(checked).resolves.toBeDefined()
  })

  test('a deferred login never meets a backend that trusts the front end', async () => {
    const identity = { header: { name: 'X-User' } }
    const config = configOf({ backends: { one: { identity, toy: { endpoints: ['127.0.0.1:1'] } } } })
    await expect(createFrontEnd({ config, protocols: [toy] })).rejects.toThrow(
      /backends\.one: expected identity password/,
    )
  })

  test.each([
    ['the group', { identity: 'xclient', toy: {} }, /backends\.one\.identity: expected password, header for toy/],
    ['the block', { toy: { identity: 'xclient' } }, /backends\.one\.toy\.identity: expected password, header for toy/],
  ])(
    'an identity of %s that the protocol has no word for is a mistake',
    async (_label, { toy: block, ...group }, message) => {
      const backends = { one: { ...group, toy: { endpoints: ['127.0.0.1:1'], ...block } } }
      const config = configOf({ backends })
      await expect(createFrontEnd({ config, protocols: [toy] })).rejects.toThrow(message)
    },
  )

  test.each([
    ['without TLS', 'none', testCertificates().ca.certificateFile, /expected tls: starttls or implicit/],
    ['that are no certificate', 'starttls', { text: 'nonsense' }, /clientCertificates: expected a certificate in PEM/],
    ['that are not there', 'starttls', '/nowhere/ca.pem', /clientCertificates: expected a certificate in PEM: ENOENT/],
  ])('client certificates of an authority %s are a mistake', async (_label, tls, clientCertificates, message) => {
    const { server } = testCertificates()
    const config = configOf({
      tls: [{ names: ['localhost'], certificate: server.certificateFile, key: server.keyFile }],
      listeners: [{ protocol: 'toy', address: '127.0.0.1:0', tls, clientCertificates }],
    })
    await expect(createFrontEnd({ config, protocols: [toy] })).rejects.toThrow(message)
  })

  test.each([
    ['limits.connect', { openBackend: '2s', connect: '3s' }, { wait: '2s' }],
    ['backends.one.pool.wait', { openBackend: '5s' }, { wait: '6s' }],
    ['backends.one.pool.warm', {}, { warm: 3, endpointConnections: 2 }],
  ])('%s is at most what holds it', async (key, limits, pool) => {
    const backends = { one: { toy: { endpoints: ['127.0.0.1:1'] }, pool } }
    const checked = checkConfiguration({ config: configOf({ limits, backends }), protocols: [toy] })
    await expect(checked).rejects.toThrow(`${key}: expected at most`)
  })

  test('limits that are as long as what holds them are taken', async () => {
    const pool = { wait: '5s', warm: 2, endpointConnections: 2 }
    const backends = { one: { toy: { endpoints: ['127.0.0.1:1'] }, pool } }
    const config = configOf({ limits: { openBackend: '5s', connect: '5s' }, backends })
    await expect(checkConfiguration({ config, protocols: [toy] })).resolves.toBeDefined()
  })

  test.each(['SCRAM-SHA-256', 'CRAM-MD5', 'ANONYMOUS'])(
    '%s leaves no password for backends that want one',
    async (name) => {
      const config = configOf({ auth: { mechanisms: ['PLAIN', name] } })
      await expect(createFrontEnd({ config, protocols: [toy] })).rejects.toThrow(
        /auth\.mechanisms\[1\]: expected a mechanism that leaves a password/,
      )
    },
  )
})

describe('reload', () => {
  test('what sessions share is disposed of when the last session of its configuration has ended', async () => {
    const gone: string[] = []
    const sharing = {
      ...toy,
      serve: (...[session, settings]: Parameters<typeof toy.serve>) => {
        const { greeting } = settings
        session.services.disposeWhenRetired({ [Symbol.dispose]: () => void gone.push(greeting) })
        return toy.serve(session, settings)
      },
    }
    await using frontEnd = await createFrontEnd({ config: configOf(), protocols: [sharing] })
    const client = Client.to(portOf(frontEnd))
    await client.line()
    await frontEnd.reload(configOf({ toy: { greeting: 'good day' } }))
    expect(await client.ask('still here')).toBe('still here')
    expect(gone).toEqual([])
    await client.ask('quit')
    await frontEnd.close()
    expect(gone).toEqual(['hello'])
  })

  test('live sessions go on, new ones get the new settings, the socket stays', async () => {
    await using frontEnd = await createFrontEnd({ config: configOf(), protocols: [toy] })
    const port = portOf(frontEnd)
    const old = Client.to(port)
    await old.line()
    await frontEnd.reload(configOf({ toy: { greeting: 'good day' } }))
    expect(portOf(frontEnd)).toBe(port)
    expect(await Client.to(port).line()).toBe('good day hall')
    expect(await old.ask('ping')).toBe('ping')
  })

  test('connection limits of a listener that stays follow the new settings', async () => {
    await using frontEnd = await createFrontEnd({ config: configOf(), protocols: [toy] })
    const port = portOf(frontEnd)
    expect(await Client.to(port).line()).toBe('hello hall')
    await frontEnd.reload(configOf({ limits: { connectionsPerAddress: 1 } }))
    expect(await Client.to(port).line()).toBe('busy')
    await frontEnd.reload(configOf({ limits: { connectionsPerAddress: 2 } }))
    expect(await Client.to(port).line()).toBe('hello hall')
  })

  test('listeners come and go; who came in by one that goes is asked to leave, and nobody else', async () => {
    const { log, lines, line } = keptLog()
    await using frontEnd = await createFrontEnd({ config: configOf(), protocols: [toy], log })
    const port = portOf(frontEnd)
    const old = Client.to(port)
    await old.line()
    const first = { protocol: 'toy', address: '127.0.0.1:0', tls: 'none' }
    const second = { protocol: 'toy', address: '127.0.0.2:0', tls: 'none', room: 'attic' }
    await frontEnd.reload(configOf({ listeners: [first, second] }))
    expect(frontEnd.listeners).toHaveLength(2)
    const staying = Client.to(portOf(frontEnd, 1), '127.0.0.2')
    expect(await staying.line()).toBe('hello attic')
    expect(await old.ask('ping')).toBe('ping')
    await frontEnd.reload(configOf({ listeners: [second] }))
    expect(frontEnd.listeners.map(({ address }) => address)).toEqual(['127.0.0.2'])
    expect((await line('session ended')).facts).toMatchObject({ reason: 'draining' })
    expect(await old.line()).toBeUndefined()
    expect(await staying.ask('ping')).toBe('ping')
    expect(lines.filter(({ message }) => message === 'session ended')).toHaveLength(1)
    expect(frontEnd.sessions).toBe(1)
    const late = connect({ port, host: '127.0.0.1' })
    expect((await once(late, 'error'))[0].code).toBe('ECONNREFUSED')
  })

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['an unknown key', { nonsense: 1 }, /nonsense: unknown key/],
    ['a half-closed time of nothing', { limits: { halfClosed: '0s' } }, /limits\.halfClosed: expected at least 1s/],
    [
      'a users file to look into that nobody opens',
      { location: [{ type: 'users-file' }], credentials: [{ type: 'deferred' }] },
      /location\[0\]\.type: expected a users-file under credentials/,
    ],
    [
      'a group that does not exist',
      { location: [{ type: 'hash', group: 'two' }] },
      /location\[0\]\.group: expected one of the groups one/,
    ],
    [
      'a lookup that no source brings',
      { location: [{ type: 'auth-http', source: 'directory', group: 'one' }] },
      /location\[0\]\.source: expected the name of an auth-http/,
    ],
    [
      'an exempt network that does not exist',
      { auth: { exemptNetworks: ['webmail'] } },
      /auth\.exemptNetworks\[0\]: expected the name of one of the networks/,
    ],
    [
      'a missing users file',
      { credentials: [{ type: 'users-file', path: '/nowhere' }] },
      /credentials\[0\]\.path: .*ENOENT/,
    ],
    [
      'an address in use',
      { listeners: [{ protocol: 'toy', address: '$taken', tls: 'none' }] },
      /another process listens there/,
    ],
    [
      'TLS without a certificate',
      { listeners: [{ protocol: 'toy', address: '127.0.0.1:0', tls: 'implicit' }] },
      /listeners\[0\]\.tls: expected a certificate/,
    ],
  ])('%s changes nothing and says why', async (_, over, why) => {
    await using frontEnd = await createFrontEnd({ config: configOf(), protocols: [toy] })
    await using other = await createFrontEnd({ config: configOf(), protocols: [toy] })
    const before = frontEnd.listeners
    const text = JSON.stringify(over).replace('$taken', `127.0.0.1:${portOf(other)}`)
    await expect(frontEnd.reload(configOf(JSON.parse(text)))).rejects.toThrow(why)
    expect(frontEnd.listeners).toEqual(before)
    expect(await Client.to(portOf(frontEnd)).line()).toBe('hello hall')
  })
})

describe('certificates', () => {
  test('a renewed certificate is served without a signal, a broken one is not', async () => {
    const { server, ca } = testCertificates()
    const folder = mkdtempSync(join(tmpdir(), 'portico-front-end-'))
    const put = (name: string, text: string) => {
      writeFileSync(join(folder, `${name}.new`), text, { mode: 0o600 })
      renameSync(join(folder, `${name}.new`), join(folder, name))
    }
    put('cert', server.certificate)
    put('key', server.key)
    const clock = createFakeClock()
    const { log, line } = keptLog()
    const config = configOf({
      tls: [{ names: ['localhost'], certificate: 'cert', key: 'key' }],
      listeners: [{ protocol: 'toy', address: '127.0.0.1:0', tls: 'implicit' }],
    })
    await using frontEnd = await createFrontEnd({ config, protocols: [toy], clock, log, directory: folder })
    expect(await servedBy(portOf(frontEnd))).toBe(rawOf(server.certificate))
    put('cert', ca.certificate)
    await look(clock, line('renewed certificates do not work, the former ones stay'))
    expect(await servedBy(portOf(frontEnd))).toBe(rawOf(server.certificate))
    put('key', ca.key)
    await look(clock, line('certificates renewed'))
    expect(await servedBy(portOf(frontEnd))).toBe(rawOf(ca.certificate))
  })
})

async function look(clock: ReturnType<typeof createFakeClock>, seen: Promise<unknown>): Promise<void> {
  let done = false
  void seen.then(() => {
    done = true
  })
  while (!done) {
    await clock.advance(5_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function servedBy(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().raw.toString('base64'))
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

function rawOf(pem: string): string {
  return pem.replace(/-----[^-]+-----|\s/g, '')
}
