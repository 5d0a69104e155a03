// SPDX-License-Identifier: MIT
import { createServer, request as nodeRequest } from 'node:http'
import { Duplex } from 'node:stream'
import { readIncoming } from '../src/client/incoming.js'
import { type BodyDecoder, decoderFor } from '../src/codec/body.js'
import { type Framing, responseFraming } from '../src/codec/framing.js'
import { findHeadEnd, parseRequestHead, parseResponseHead } from '../src/codec/head.js'

const LIMITS = { head: 65_536, target: 8_192, fields: 100 }

/** What a reader makes of octets: the messages that it took, and why it did not go on. */
export interface Reading {
  readonly messages: readonly string[]
  /** `undefined`: it took all, or waits for more. */
  readonly refused: string | undefined
  /** Octets that it left alone, because the connection ends behind the last message. */
  readonly left?: string
}

/** What our codec makes of what a client sends. */
export function requestsByUs(text: string): Reading {
  const bytes = Buffer.from(text, 'latin1')
  const messages: string[] = []
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] === 13 && bytes[at + 1] === 10) at += 2
    const end = findHeadEnd(bytes, at)
    if (end < 0) return { messages, refused: undefined }
    const head = parseRequestHead(bytes.subarray(at, end), LIMITS)
    if (head.kind === 'bad') return { messages, refused: head.why }
    const incoming = readIncoming(head)
    if ('kind' in incoming) return { messages, refused: incoming.why }
    const body = readBody(bytes.subarray(end), incoming.body)
    if (body.kind !== 'whole') return { messages, refused: body.fault }
    messages.push(`${head.method} ${head.target} ${body.content}`)
    at = end + body.taken
    if (!incoming.persist) return { messages, refused: undefined, left: text.slice(at) }
  }
  return { messages, refused: undefined }
}

/** What our codec makes of what a backend sends as the answer to one request. */
export function responseByUs(text: string, method: string): Reading {
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; ; ) {
    const end = findHeadEnd(bytes, at)
    if (end < 0) return { messages: [], refused: 'incomplete' }
    const head = parseResponseHead(bytes.subarray(at, end), LIMITS)
    if (head.kind === 'bad') return { messages: [], refused: head.why }
    const framing = responseFraming(head, method)
    if (framing.kind === 'bad') return { messages: [], refused: framing.why }
    at = end
    if (head.status === 101) return { messages: [], refused: 'not-asked-for' }
    if (head.status < 200) continue
    const body = readBody(bytes.subarray(end), framing)
    const content = framing.kind === 'until-close' ? bytes.toString('latin1', end) : body.content
    if (body.kind !== 'whole' && framing.kind !== 'until-close') {
      return { messages: [], refused: body.fault ?? 'incomplete' }
    }
    const left = framing.kind === 'until-close' ? '' : text.slice(end + body.taken)
    return { messages: [`${head.status} ${content}`], refused: undefined, left }
  }
}

interface Body {
  readonly kind: 'whole' | 'partial' | 'broken'
  readonly content: string
  readonly taken: number
  readonly fault: string | undefined
}

function readBody(bytes: Buffer, framing: Framing): Body {
  const decoder = decoderFor(framing)
  if (decoder.done) return { kind: 'whole', content: '', taken: 0, fault: undefined }
  const taken = decoder.push(bytes)
  const kind = decoder.fault !== undefined ? 'broken' : decoder.done ? 'whole' : 'partial'
  return { kind, content: contentOf(decoder, bytes), taken, fault: decoder.fault }
}

function contentOf({ spans }: BodyDecoder, bytes: Buffer): string {
  let content = ''
  for (let index = 0; index < spans.length; index += 2) {
    content += bytes.toString('latin1', spans[index], spans[index + 1])
  }
  return content
}

/** A connection without a network: gives all its octets and the end, and keeps what is written. */
class Wire extends Duplex {
  written = ''
  readonly #octets: Buffer
  constructor(text: string) {
    super()
    this.#octets = Buffer.from(text, 'latin1')
  }
  override _read(): void {
    this.push(this.#octets)
    this.push(null)
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString('latin1')
    done()
  }
}

/** What node:http makes of what a client sends. */
export function requestsByNode(text: string): Promise<Reading> {
  return new Promise((resolve) => {
    const messages: string[] = []
    let refused: string | undefined
    const server = createServer({ requireHostHeader: true }, (request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString('latin1')
      })
      request.on('end', () => {
        messages.push(`${request.method} ${request.url} ${body}`)
        response.end()
      })
    })
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      refused ??= error.code ?? error.message
      socket.destroy()
    })
    const wire = new Wire(text)
    wire.on('close', () => {
      const status = /^HTTP\/1\.1 (4\d\d)/m.exec(wire.written)?.[1]
      resolve({ messages, refused: refused ?? status })
    })
    server.emit('connection', wire)
  })
}

/** What node:http makes of what a server sends as the answer to one request. */
export function responseByNode(text: string, method: string): Promise<Reading> {
  return new Promise((resolve) => {
    const wire = new Wire(text)
    const failed = (error: NodeJS.ErrnoException): void => {
      resolve({ messages: [], refused: error.code ?? error.message })
    }
    const request = nodeRequest({ method, host: 'x', createConnection: () => wire }, (response) => {
      let body = ''
      response.on('error', failed)
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString('latin1')
      })
      response.on('end', () => resolve({ messages: [`${response.statusCode} ${body}`], refused: undefined }))
    })
    request.on('error', failed)
    request.on('upgrade', () => resolve({ messages: [], refused: 'upgrade' }))
    request.end()
  })
}
