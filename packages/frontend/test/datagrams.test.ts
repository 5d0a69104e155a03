// SPDX-License-Identifier: MIT
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createFrontEnd, type FrontEnd } from '@portico/frontend'
import type { DatagramExchange, Protocol } from '@portico/session'
import { freePorts } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { Client, keptLog, toy } from './toy-protocol.js'

/** What the waiting datagrams wait for. */
const held: DatagramExchange[] = []
const holders = new Set<() => void>()

/** `bug` fails, `wait` is held until the exchange is told to stop or a test answers it, everything else comes back. */
const echo: Protocol<{ readonly greeting: string }> = {
  ...toy,
  async serveDatagram(exchange, { greeting }) {
    const text = exchange.bytes.toString()
    if (text === 'bug') throw new Error('planted bug')
    if (text !== 'wait') return exchange.reply(Buffer.from(`${greeting} ${text} ${exchange.networks.join()}`))
    const stopped = new Promise<string>((resolve) => {
      exchange.signal.onAbort = resolve
    })
    held.push(exchange)
    for (const tell of holders) tell()
    exchange.reply(Buffer.from(await stopped))
  },
}

function configOf(over: Readonly<Record<string, unknown>> = {}, entry: object = {}): Record<string, unknown> {
  return {
    version: 1,
    networks: { here: ['127.0.0.0/8'] },
    listeners: [{ protocol: 'toy', address: '127.0.0.1:0', tls: 'none', transport: 'udp', ...entry }],
    credentials: [{ type: 'deferred' }],
    location: [{ type: 'hash', group: 'one' }],
    backends: { one: { toy: { endpoints: ['127.0.0.1:1'] } } },
    ...over,
  }
}

const portOf = (frontEnd: FrontEnd, index = 0): number => frontEnd.listeners[index]?.port ?? 0

class Sender {
  readonly #socket: Socket
  readonly #port: number

  constructor(port: number) {
    this.#socket = createSocket('udp4')
    this.#port = port
  }

  send(text: string): void {
    this.#socket.send(text, this.#port, '127.0.0.1')
  }

  async ask(text: string): Promise<string> {
    this.send(text)
    return this.answer()
  }

  async answer(): Promise<string> {
    const [message] = await once(this.#socket, 'message')
    return String(message)
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }
}

async function heldOnes(count: number): Promise<void> {
  while (held.length < count) {
    await new Promise<void>((resolve) => {
      holders.add(resolve)
    })
  }
}

describe('datagrams', () => {
  test('are answered beside the connections of the same port, and listeners say which they are', async () => {
    const [port = 0] = await freePorts(1)
    const entry = { protocol: 'toy', address: `127.0.0.1:${port}`, tls: 'none' }
    const config = configOf({ listeners: [{ ...entry, transport: 'udp' }, entry] })
    await using frontEnd = await createFrontEnd({ config, protocols: [echo] })
    expect(frontEnd.listeners.map(({ transport }) => transport)).toEqual(['udp', undefined])
    using sender = new Sender(portOf(frontEnd))
    expect(await sender.ask('who')).toBe('hello who here')
    expect(await Client.to(portOf(frontEnd, 1)).line()).toBe('hello hall')
  })

  test('follow a new configuration on the socket that they came in by', async () => {
    await using frontEnd = await createFrontEnd({ config: configOf(), protocols: [echo] })
    const port = portOf(frontEnd)
    using sender = new Sender(port)
    await frontEnd.reload(configOf({ toy: { greeting: 'welcome' } }))
    expect(portOf(frontEnd)).toBe(port)
    expect(await sender.ask('x')).toBe('welcome x here')
  })

  test('a bug ends the answer to one and no other', async () => {
    const { log, line } = keptLog()
    await using frontEnd = await createFrontEnd({ config: configOf(), protocols: [echo], log })
    using sender = new Sender(portOf(frontEnd))
    sender.send('bug')
    expect((await line('a datagram could not be answered: this is a bug')).level).toBe('error')
    expect(await sender.ask('x')).toBe('hello x here')
    expect(frontEnd.sessions).toBe(0)
  })

  test('of one address only so many are answered at a time', async () => {
    held.length = 0
    const { log, line } = keptLog()
    const config = configOf({ limits: { connectionsPerAddress: 2 } })
    await using frontEnd = await createFrontEnd({ config, protocols: [echo], log })
    using sender = new Sender(portOf(frontEnd))
    sender.send('wait')
    sender.send('wait')
    await heldOnes(2)
    sender.send('x')
    expect((await line('datagram dropped')).facts).toMatchObject({ why: 'over-limit', client: '127.0.0.1' })
    expect(frontEnd.sessions).toBe(2)
  })

  test('what is beyond the rate of an address is dropped', async () => {
    const { log, line } = keptLog()
    const config = configOf({ limits: { datagramsPerAddress: 1 } })
    await using frontEnd = await createFrontEnd({ config, protocols: [echo], log })
    using sender = new Sender(portOf(frontEnd))
    for (let count = 0; count < 5; count += 1) sender.send('x')
    expect((await line('datagram dropped')).facts).toMatchObject({ why: 'over-rate' })
  })

  test('a node that leaves hears nobody any more, and answers what it has heard until the drain time is up', async () => {
    held.length = 0
    const config = configOf({ limits: { drain: '100ms' } })
    const frontEnd = await createFrontEnd({ config, protocols: [echo] })
    using sender = new Sender(portOf(frontEnd))
    sender.send('wait')
    await heldOnes(1)
    const answer = sender.answer()
    const drained = frontEnd.drain()
    sender.send('x')
    expect(await answer).toBe('draining')
    expect(held[0]?.draining).toBe(true)
    await drained
  })

  test('a listener that is gone leaves its port to others', async () => {
    await using frontEnd = await createFrontEnd({ config: configOf(), protocols: [echo] })
    const port = portOf(frontEnd)
    await frontEnd.reload(configOf({}, { transport: 'tcp' }))
    const socket = createSocket('udp4')
    socket.bind(port, '127.0.0.1')
    await once(socket, 'listening')
    socket.close()
  })

  test('who takes the port away is told', async () => {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address()
    const config = configOf({}, { address: `127.0.0.1:${port}` })
    await expect(createFrontEnd({ config, protocols: [echo] })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: another process listens there (EADDRINUSE)`,
    )
    socket.close()
  })

  test.each([
    ['TLS', { tls: 'implicit' }],
    ['a Unix socket', { address: 'unix:/nowhere' }],
  ])('have no %s', async (_label, entry) => {
    const config = configOf({}, entry)
    await expect(createFrontEnd({ config, protocols: [echo] })).rejects.toThrow(/for datagrams/)
  })

  test('are nothing for a protocol that does not serve them', async () => {
    await expect(createFrontEnd({ config: configOf(), protocols: [toy] })).rejects.toThrow(/transport/)
  })
})
