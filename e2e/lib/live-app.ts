// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request that an application has before it. */
export interface Visitor {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Octets of the body that have come so far. */
  readonly received: number
  /** How the body ended: SHA-256 of the whole, or that it broke off. */
  readonly body: Promise<string | 'broken off'>
  /** The connection has ended. */
  readonly gone: Promise<void>
}

/** A web application whose answers a test gives, by hand. */
export interface LiveApp extends AsyncDisposable {
  readonly port: number
  /** The next request for this path that nobody has asked for yet. */
  next(path: string): Promise<Visitor>
}

export async function startLiveApp(): Promise<LiveApp> {
  const waiting = new Map<string, { readonly come: Visitor[]; readonly asked: ((visitor: Visitor) => void)[] }>()
  const at = (path: string) => {
    const known = waiting.get(path) ?? { come: [], asked: [] }
    waiting.set(path, known)
    return known
  }
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    const visitor = visitorOf(request, response)
    const place = at(request.url ?? '')
    const asker = place.asked.shift()
    if (asker === undefined) place.come.push(visitor)
    else asker(visitor)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    next: (path) =>
      new Promise((resolve) => {
        const { come, asked } = at(path)
        const visitor = come.shift()
        if (visitor === undefined) asked.push(resolve)
        else resolve(visitor)
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function visitorOf(request: IncomingMessage, response: ServerResponse): Visitor {
  const hash = createHash('sha256')
  let received = 0
  request.on('data', (chunk: Buffer) => {
    received += chunk.length
    hash.update(chunk)
  })
  request.on('error', () => undefined)
  response.on('error', () => undefined)
  const body = new Promise<string>((resolve) => {
    request.once('end', () => resolve(hash.digest('hex')))
    request.once('close', () => resolve('broken off'))
  })
  const gone = new Promise<void>((resolve) => request.socket.once('close', () => resolve()))
  return {
    request,
    response,
    get received() {
      return received
    },
    body,
    gone,
  }
}
