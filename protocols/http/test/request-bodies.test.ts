// SPDX-License-Identifier: MIT
import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { ask, get } from './ask.js'
import { BASIC, Client, Front } from './harness.js'

/** A backend that collects everything and says when it has seen a text. */
function collector() {
  const state = { text: '', socket: undefined as Socket | undefined, wake: undefined as (() => void) | undefined }
  return {
    state,
    play(socket: Socket) {
      state.socket = socket
      socket.on('error', () => undefined)
      socket.on('data', (chunk: Buffer) => {
        state.text += chunk.toString('latin1')
        state.wake?.()
      })
      socket.on('close', () => state.wake?.())
    },
    async until(condition: () => boolean) {
      while (!condition()) await new Promise<void>((resolve) => (state.wake = resolve))
    },
  }
}

describe('request bodies', () => {
  test('chunks pass as chunks, without extensions and trailers', async () => {
    const backend = collector()
    await using front = await Front.start(backend.play)
    const client = await Client.connect(front.port)
    client.send('PUT / HTTP/1.1', 'Host: x', BASIC, 'Transfer-Encoding: chunked', 'Connection: close', '', '')
    client.send('3;a=b', 'abc', '2', 'de', '0', 'T: x', '', '')
    await backend.until(() => backend.state.text.endsWith('0\r\n\r\n'))
    const body = backend.state.text.split('\r\n\r\n').slice(1).join('\r\n\r\n')
    expect(['3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n', '5\r\nabcde\r\n0\r\n\r\n']).toContain(body)
    backend.state.socket?.write('HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n')
    expect(await client.toEnd()).toContain('201 Created')
  })

  test('100 (Continue) is the backend’s to give (RFC 9110 section 10.1.1)', async () => {
    const backend = collector()
    await using front = await Front.start(backend.play)
    const client = await Client.connect(front.port)
    client.send(
      'PUT / HTTP/1.1',
      'Host: x',
      BASIC,
      'Content-Length: 2',
      'Expect: 100-continue',
      'Connection: close',
      '',
      '',
    )
    await backend.until(() => backend.state.text.endsWith('\r\n\r\n'))
    expect(backend.state.text).toContain('\r\nExpect: 100-continue\r\n')
    expect(client.received).toBe('')
    backend.state.socket?.write('HTTP/1.1 100 Continue\r\n\r\n')
    await client.take('HTTP/1.1 100 Continue\r\n\r\n')
    client.send('hi')
    await backend.until(() => backend.state.text.endsWith('hi'))
    backend.state.socket?.write('HTTP/1.1 204 No Content\r\n\r\n')
    expect(await client.toEnd()).toBe('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n')
  })

  test('a refused request that waits for leave gets its answer and a close, and its body is never read as a request', async () => {
    const { received, heads } = await ask(
      ['PUT / HTTP/1.1', 'Host: x', 'Content-Length: 30', 'Expect: 100-continue', '', get('/smuggled', BASIC)].join(
        '\r\n',
      ),
    )
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401'])
    expect(heads).toEqual([])
  })

  test('the body of a refused request is dropped and the next request is answered', async () => {
    const text = [
      'PUT / HTTP/1.1',
      'Host: x',
      'Content-Length: 20',
      '',
      `GET /inside HTTP/1.1${get('/next', BASIC)}`,
    ].join('\r\n')
    const { received, heads } = await ask(text)
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200'])
    expect(heads.map((head) => head.split(' ')[1])).toEqual(['/next'])
  })

  test('a broken chunk is 400, the connection ends, and the backend’s connection is dropped', async () => {
    const backend = collector()
    await using front = await Front.start(backend.play)
    const client = await Client.connect(front.port)
    client.send('PUT / HTTP/1.1', 'Host: x', BASIC, 'Transfer-Encoding: chunked', '', '2', 'hiX', '0', '', '')
    expect(await client.toEnd()).toMatch(/^HTTP\/1.1 400 Bad Request\r\n[\s\S]*Connection: close/)
    await backend.until(() => backend.state.socket?.destroyed === true || backend.state.socket?.readableEnded === true)
  })

  test.each([
    ['with a length', 'Content-Length: 2000', ''],
    ['in chunks', 'Transfer-Encoding: chunked', `7d0\r\n${'x'.repeat(2000)}\r\n0\r\n\r\n`],
  ])('a body above the limit %s is 413 (RFC 9110 section 15.5.14)', async (_label, line, body) => {
    const settings = { directories: [{ mount: '/', maxBody: '1KiB' }] }
    const text = `${['PUT / HTTP/1.1', 'Host: x', BASIC, line, '', ''].join('\r\n')}${body}`
    await using front = await Front.start(() => undefined, { settings })
    const client = await Client.connect(front.port)
    client.send(text)
    expect(await client.toEnd()).toMatch(/^HTTP\/1.1 413 /)
  })

  test('a client that goes away in the middle takes its backend connection with it', async () => {
    const backend = collector()
    await using front = await Front.start(backend.play)
    const client = await Client.connect(front.port)
    client.send('PUT / HTTP/1.1', 'Host: x', BASIC, 'Content-Length: 100', '', 'half')
    await backend.until(() => backend.state.text.endsWith('half'))
    const gone = new Promise((resolve) => backend.state.socket?.on('end', resolve).on('close', resolve))
    client.socket.destroy()
    await gone
    expect(await front.ended[0]).toBe('client-closed')
  })

  test('an answer before the end of the body is passed, and the connection ends with it', async () => {
    const backend = collector()
    await using front = await Front.start(backend.play)
    const client = await Client.connect(front.port)
    client.send('PUT / HTTP/1.1', 'Host: x', BASIC, 'Content-Length: 100', '', 'half')
    await backend.until(() => backend.state.text.endsWith('half'))
    backend.state.socket?.write('HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 0\r\n\r\n')
    expect(await client.toEnd()).toBe(
      'HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    )
  })
})
