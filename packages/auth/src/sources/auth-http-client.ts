// SPDX-License-Identifier: MIT
import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Cancellation, Clock } from '@portico/base'

/** A reply's status and headers; header names in lower case, values as octets in Latin-1. The body is not looked at. */
export type LookupReply =
  | { readonly kind: 'reply'; readonly status: number; readonly headers: Readonly<Record<string, string | undefined>> }
  | { readonly kind: 'failed'; readonly cause: Error }

/** Asks one URL, over connections that are kept. */
export interface LookupClient {
  /** `headers`: values are Latin-1 without control characters. Settles always, within the time limit. */
  get(headers: Readonly<Record<string, string>>, signal: Cancellation): Promise<LookupReply>
  close(): void
}

export interface LookupClientOptions {
  readonly url: URL
  readonly timeoutMs: number
  readonly clock: Clock
}

const MAX_CONNECTIONS = 64
const MAX_IDLE_CONNECTIONS = 16
const MAX_BODY = 65_536

/** A client over node:http with keep-alive. */
export function createLookupClient(options: LookupClientOptions): LookupClient {
  const { url } = options
  const { Agent, request } = url.protocol === 'https:' ? https : http
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS, maxFreeSockets: MAX_IDLE_CONNECTIONS })
  const send = (headers: Readonly<Record<string, string>>): ClientRequest => request(url, { agent, headers })
  return {
    async get(headers, signal) {
      if (signal.aborted) return { kind: 'failed', cause: new Error('the lookup was cancelled') }
      const first = await exchange(send(headers), options, signal)
      // The server may close a kept connection at the moment we use it; a GET may be asked again (RFC 9112 section 9.3.1).
      if (first.kind !== 'stale') return first
      const second = await exchange(send(headers), options, signal)
      return second.kind === 'stale' ? { kind: 'failed', cause: second.cause } : second
    },
    close: () => agent.destroy(),
  }
}

function exchange(
  request: ClientRequest,
  { clock, timeoutMs }: LookupClientOptions,
  signal: Cancellation,
): Promise<LookupReply | { readonly kind: 'stale'; readonly cause: Error }> {
  return new Promise((resolve) => {
    const timer = clock.after(timeoutMs, () => request.destroy(new Error('the lookup took too long')))
    const settle = (result: LookupReply | { readonly kind: 'stale'; readonly cause: Error }): void => {
      timer.cancel()
      signal.onAbort = undefined
      resolve(result)
    }
    request.on('response', (response) => {
      drain(response)
      const headers = response.headers as Record<string, string | undefined>
      settle({ kind: 'reply', status: response.statusCode ?? 0, headers })
    })
    request.on('error', (cause: NodeJS.ErrnoException) => {
      const stale = request.reusedSocket && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE')
      settle({ kind: stale ? 'stale' : 'failed', cause })
    })
    signal.onAbort = () => request.destroy(new Error('the lookup was cancelled'))
    request.end()
  })
}

/** The body says nothing, but has to be read before the connection can serve again. */
function drain(response: IncomingMessage): void {
  let size = 0
  response.on('error', () => {})
  response.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > MAX_BODY) response.destroy()
  })
}
