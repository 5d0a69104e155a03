// SPDX-License-Identifier: MIT
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { BASIC, Client, Front } from './harness.js'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'

test('a request is not sent again once octets of its body were taken, be it a chunk line alone (RFC 9112 section 9.3.1)', async () => {
  const heads: string[] = []
  await using front = await Front.start((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1')
      heads.push(text.slice(0, text.indexOf(' ')))
      if (text.startsWith('GET ')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      else socket.destroy()
    })
  })
  const client = await Client.connect(front.port)
  client.send('GET / HTTP/1.1', 'Host: a', BASIC, '', '')
  await client.take('\r\n\r\n')
  client.send('PUT /x HTTP/1.1', 'Host: a', BASIC, 'Transfer-Encoding: chunked', '', '5\r\n')
  expect(await client.take('\r\n')).toBe('HTTP/1.1 502 Bad Gateway\r\n')
  expect(heads).toEqual(['GET', 'PUT'])
})

test('of several kept connections that the backend has closed one is tried, and then a fresh one (RFC 9112 section 9.3.1)', async () => {
  const seen: number[] = []
  const first: Socket[] = []
  await using front = await Front.start((socket, index) => {
    socket.on('error', () => undefined)
    socket.on('data', () => {
      seen.push(index)
      if (index >= 2) socket.write(OK)
      else if (first.includes(socket)) socket.destroy()
      else if (first.push(socket) === 2) for (const one of first) one.write(OK)
    })
  })
  const [one, two] = [await Client.connect(front.port), await Client.connect(front.port)]
  for (const client of [one, two]) client.send('GET / HTTP/1.1', 'Host: a', BASIC, '', '')
  for (const client of [one, two]) await client.take('\r\n\r\n')
  one.send('GET / HTTP/1.1', 'Host: a', BASIC, '', '')
  expect(await one.take('\r\n')).toBe('HTTP/1.1 200 OK\r\n')
  expect([seen.length, seen[3]]).toEqual([4, 2])
})

test('content that a broken backend sends after HEAD is no answer to the next request (RFC 9110 section 9.3.2)', async () => {
  const seen: string[] = []
  await using front = await Front.start((socket, index) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      const method = chunk.toString('latin1').split(' ')[0]
      seen.push(`${index} ${method}`)
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n${method === 'HEAD' ? '' : 'good'}`)
    })
  })
  const client = await Client.connect(front.port)
  client.send('HEAD / HTTP/1.1', 'Host: a', BASIC, '', 'GET / HTTP/1.1', 'Host: a', BASIC, '', '')
  await client.take('good')
  expect(seen).toEqual(['0 HEAD', '1 GET'])
})

test.each([
  ['GET', 'HTTP/1.1 200 OK\r\n', ['0 GET', '0 GET', '1 GET']],
  ['POST', 'HTTP/1.1 502 Bad Gateway\r\n', ['0 GET', '0 POST']],
])(
  '%s on a kept connection that the backend closes instead of answering (RFC 9110 section 9.2.2)',
  async (method, line, heads) => {
    const seen: string[] = []
    await using front = await Front.start((socket, index) => {
      socket.on('error', () => undefined)
      socket.on('data', (chunk: Buffer) => {
        seen.push(`${index} ${chunk.toString('latin1').split(' ')[0]}`)
        if (seen.length === 2) socket.destroy()
        else socket.write(OK)
      })
    })
    const client = await Client.connect(front.port)
    client.send('GET / HTTP/1.1', 'Host: a', BASIC, '', '')
    await client.take('\r\n\r\n')
    client.send(`${method} / HTTP/1.1`, 'Host: a', BASIC, '', '')
    expect(await client.take('\r\n')).toBe(line)
    expect(seen).toEqual(heads)
  },
)

test('a connection that its backend is about to close is not used again', async () => {
  const seen: number[] = []
  await using front = await Front.start((socket, index) => {
    socket.on('error', () => undefined)
    socket.on('data', () => {
      seen.push(index)
      socket.write(OK.replace('\r\n\r\n', `\r\nKeep-Alive: timeout=${seen.length < 3 ? 60 : 1}\r\n\r\n`))
    })
  })
  const client = await Client.connect(front.port)
  for (let n = 0; n < 4; n += 1) {
    client.send('POST / HTTP/1.1', 'Host: a', BASIC, 'Content-Length: 0', '', '')
    expect(await client.take('\r\n\r\n')).not.toMatch(/Keep-Alive/i)
  }
  expect(seen).toEqual([0, 0, 0, 1])
})
