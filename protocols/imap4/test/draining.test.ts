// SPDX-License-Identifier: MIT
import { connect, type Socket } from 'node:net'
import { Secret } from '@portico/base'
import { createFrontEnd, type FrontEnd } from '@portico/frontend'
import { imap4 } from '@portico/imap4'
import { captureLog, testCertificates } from '@portico/testkit'
import { describe, expect, test } from 'vitest'

const GOODBYE = '* BYE [UNAVAILABLE] The server is going down, please connect again\r\n'

async function frontEnd(log = captureLog()): Promise<FrontEnd> {
  const { server } = testCertificates()
  return createFrontEnd({
    protocols: [imap4],
    log,
    config: {
      version: 1,
      tls: [{ names: ['localhost'], certificate: { text: server.certificate }, key: new Secret(server.key) }],
      listeners: [{ protocol: 'imap4', address: '127.0.0.1:0', tls: 'starttls', plaintextPasswords: 'always' }],
      credentials: [{ type: 'deferred' }],
      location: [{ type: 'hash', group: 'mbx' }],
      backends: { mbx: { identity: 'password', imap4: { endpoints: ['127.0.0.1:1'] } } },
    },
  })
}

/** A client that keeps all it hears. */
class Client {
  heard = ''
  readonly #socket: Socket
  readonly closed: Promise<void>
  #wake = (): void => undefined

  constructor(front: FrontEnd) {
    this.#socket = connect(front.listeners[0]?.port ?? 0, '127.0.0.1')
    this.#socket.setEncoding('latin1').on('data', (text: string) => {
      this.heard += text
      this.#wake()
    })
    this.closed = new Promise((resolve) => {
      this.#socket.on('close', () => resolve())
    })
  }

  say(line: string): void {
    this.#socket.write(`${line}\r\n`)
  }

  async hears(text: string): Promise<void> {
    while (!this.heard.includes(text)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

describe('when the node leaves (RFC 9051 section 7.1.5)', () => {
  test('a client that has not signed in is told goodbye at once', async () => {
    const log = captureLog()
    const front = await frontEnd(log)
    const client = new Client(front)
    client.say('a1 NOOP')
    await client.hears('a1 OK')
    await front.drain()
    await client.closed
    expect(client.heard.endsWith(GOODBYE)).toBe(true)
    expect(log.lines.join()).toContain("reason: 'draining'")
    await front.close()
  })

  test('a client in the middle of its sign-in is told goodbye too', async () => {
    const front = await frontEnd()
    const client = new Client(front)
    client.say('a2 AUTHENTICATE PLAIN')
    await client.hears('+ ')
    await front.drain()
    await client.closed
    expect(client.heard.endsWith(GOODBYE)).toBe(true)
    await front.close()
  })
})
