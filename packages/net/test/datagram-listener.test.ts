// SPDX-License-Identifier: MIT
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type Endpoint, networksOf, systemClock } from '@portico/base'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { isAnswerable } from '../src/datagram-source.js'
import { type Datagram, type DatagramOptions, type DatagramRefused, listenForDatagrams } from '../src/index.js'
import { RateTable } from '../src/rate-table.js'

/** A listener that keeps what it is told, and can be waited for. */
async function listening(more: Partial<DatagramOptions> = {}) {
  const came: Datagram[] = []
  const refused: DatagramRefused[] = []
  let told: (() => void) | undefined
  const listener = await listenForDatagrams({
    name: 'test',
    at: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    clock: systemClock,
    balancers: undefined,
    maxPerSecond: 100,
    onDatagram: (datagram) => {
      came.push(datagram)
      told?.()
    },
    onRefused: (why) => {
      refused.push(why)
      told?.()
    },
    ...more,
  })
  const until = async (count: number): Promise<void> => {
    while (came.length + refused.length < count) {
      await new Promise<void>((resolve) => {
        told = resolve
      })
    }
  }
  return { listener, came, refused, until }
}

async function client(address = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  socket.bind(0, address)
  await once(socket, 'listening')
  return socket
}

describe('a listener for datagrams', () => {
  test('tells who sent what, and answers there', async () => {
    const { listener, came, until } = await listening()
    await using _ = listener
    const socket = await client()
    socket.send('hello', listener.port, '127.0.0.1')
    await until(1)
    expect(came[0]?.bytes.toString()).toBe('hello')
    expect(came[0]?.peer).toEqual({ address: '127.0.0.1', port: socket.address().port, family: 4 })
    listener.send(Buffer.from('back'), came[0]?.peer as Endpoint)
    const [answer] = await once(socket, 'message')
    expect(String(answer)).toBe('back')
    socket.close()
  })

  test('on [::] serves IPv4 and IPv6, and knows IPv4 addresses as such', async () => {
    const { listener, came, until } = await listening({ at: { kind: 'tcp', host: '::', port: 0 } })
    await using _ = listener
    for (const address of ['127.0.0.1', '::1']) {
      const socket = await client(address)
      socket.send('hello', listener.port, address)
      await until(came.length + 1)
      const peer = came.at(-1)?.peer as Endpoint
      expect(peer.address).toBe(address)
      listener.send(Buffer.from('back'), peer)
      await once(socket, 'message')
      socket.close()
    }
  })

  test('rejects where it cannot listen', async () => {
    const { listener } = await listening()
    await using _ = listener
    const at = { kind: 'tcp', host: '127.0.0.1', port: listener.port } as const
    await expect(listening({ at })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  test('drops what is beyond the rate of an address, unread, until its time has come', async () => {
    const clock = createFakeClock()
    const { listener, came, refused, until } = await listening({ clock, maxPerSecond: 2 })
    await using _ = listener
    const [socket, other] = [await client(), await client('127.0.0.2')]
    for (let count = 1; count <= 3; count += 1) {
      socket.send(String(count), listener.port, '127.0.0.1')
      await until(count)
    }
    expect([came.length, refused]).toEqual([2, ['over-rate']])
    other.send('4', listener.port, '127.0.0.1')
    await until(4)
    expect(came.length).toBe(3)
    await clock.advance(500)
    socket.send('5', listener.port, '127.0.0.1')
    await until(5)
    expect(came.length).toBe(4)
    socket.close()
    other.close()
  })

  test('drops what comes from a balancer, which would speak for somebody else', async () => {
    const { listener, refused, until } = await listening({ balancers: networksOf(['127.0.0.0/8']) })
    await using _ = listener
    const socket = await client()
    socket.send('hello', listener.port, '127.0.0.1')
    await until(1)
    expect(refused).toEqual(['balancer'])
    socket.close()
  })

  test('takes nothing any more once it was told so, and still answers', async () => {
    const { listener, came, until } = await listening()
    await using _ = listener
    const socket = await client()
    socket.send('one', listener.port, '127.0.0.1')
    await until(1)
    listener.stopReceiving()
    socket.send('two', listener.port, '127.0.0.1')
    listener.send(Buffer.from('back'), came[0]?.peer as Endpoint)
    await once(socket, 'message')
    expect(came.length).toBe(1)
    socket.close()
  })

  test('sending to where nobody may be answered, or after its end, does nothing', async () => {
    const { listener } = await listening()
    listener.send(Buffer.from('x'), { address: '127.0.0.1', port: 0, family: 4 })
    await listener[Symbol.asyncDispose]()
    listener.send(Buffer.from('x'), { address: '127.0.0.1', port: 5060, family: 4 })
    await listener[Symbol.asyncDispose]()
  })
})

test.each([
  ['192.0.2.1', 5060, true],
  ['2001:db8::1', 5060, true],
  ['fe80::1%eth0', 5060, true],
  ['192.0.2.1', 0, false],
  ['192.0.2.1', 7, false],
  ['192.0.2.1', 53, false],
  ['192.0.2.1', 123, false],
  ['0.0.0.0', 5060, false],
  ['224.0.1.75', 5060, false],
  ['239.255.255.250', 5060, false],
  ['255.255.255.255', 5060, false],
  ['::', 5060, false],
  ['ff02::1', 5060, false],
])('%s port %d may be answered: %s', (address, port, expected) => {
  expect(isAnswerable({ address, port, family: address.includes(':') ? 6 : 4 })).toBe(expected)
})

test('addresses are forgotten before they fill the memory, the one first that has been silent longest', () => {
  const table = new RateTable({ perSecond: 1 }, createFakeClock())
  expect([table.take('first'), table.take('first')]).toEqual([true, false])
  for (let count = 0; count < 9_999; count += 1) table.take(`other ${count}`)
  expect(table.take('first')).toBe(false)
  for (let count = 0; count < 10_000; count += 1) table.take(`more ${count}`)
  expect(table.size).toBe(10_000)
  expect(table.take('first')).toBe(true)
})
