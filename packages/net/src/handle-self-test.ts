// SPDX-License-Identifier: MIT
import { createServer, type Server } from 'node:net'
import { acceptHandles, type StreamBinding, type StreamHandle } from './stream-handle.js'
import type { Transport, TransportOwner } from './transport.js'
import { overHandle } from './transports.js'

/** What was found wrong with the handles of this Node. */
export type HandleFault = 'missing' | 'no-loopback' | 'no-answer' | 'wrong-octets' | 'no-back-pressure' | 'no-end'

const PATIENCE_MS = 2_000
/** More than the kernel keeps for a peer that does not read. */
const MUCH = 16 * 1024 * 1024
const PIECE = Buffer.alloc(65_536, 'portico ')
const PERIOD = 8
/** Octets of the line before. */
const FIRST = 12

/**
 * Connects this process to itself and tries what a leg needs of a handle: text and octets arrive in order, a peer that does not
 * read stops the writer, everything arrives once it reads, and both directions end on their own. Never rejects.
 */
export async function testHandles(binding: StreamBinding): Promise<HandleFault | undefined> {
  const server = createServer()
  try {
    await listening(server)
  } catch {
    return 'no-loopback'
  }
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), PATIENCE_MS)
  })
  const ends: End[] = []
  try {
    return await tried(server, binding, ends, late)
  } catch {
    return 'missing'
  } finally {
    clearTimeout(timer)
    for (const end of ends) end.transport?.destroy(false)
    server.close()
  }
}

async function tried(
  server: Server,
  binding: StreamBinding,
  ends: End[],
  late: Promise<'late'>,
): Promise<HandleFault | undefined> {
  const pair = await Promise.race([connected(server, binding), late])
  if (pair === 'late') return 'no-answer'
  const [one, other] = [new End(pair[0], binding), new End(pair[1], binding)]
  ends.push(one, other)
  const until = async (met: Promise<void>): Promise<boolean> => (await Promise.race([met, late])) !== 'late'
  one.transport.cork()
  one.transport.writeText('a line\r\n')
  one.transport.write(Buffer.from([0, 255, 13, 10]))
  one.transport.uncork()
  if (!(await until(other.has(FIRST)))) return 'no-answer'
  if (other.first.toString('latin1') !== 'a line\r\n\0\xff\r\n') return 'wrong-octets'
  other.transport.pause()
  let sent = 0
  for (; sent < MUCH && one.transport.queued === 0; sent += PIECE.length) one.transport.write(PIECE)
  if (one.transport.queued === 0) return 'no-back-pressure'
  other.transport.resume()
  one.transport.end()
  if (!(await until(other.has(FIRST + sent)))) return 'wrong-octets'
  if (!other.whole) return 'wrong-octets'
  if (!(await until(other.ended))) return 'no-end'
  other.transport.writeText('late')
  other.transport.end()
  if (!(await until(one.has(4)))) return 'no-end'
  return (await until(Promise.all([one.gone, other.gone]).then(() => undefined))) ? undefined : 'no-end'
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve())
  })
}

function connected(server: Server, binding: StreamBinding): Promise<[StreamHandle, StreamHandle]> {
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const accepted = new Promise<StreamHandle>((resolve, reject) => {
    if (!acceptHandles(server, resolve)) reject(new Error('no handle to accept from'))
  })
  const handle = binding.newTcp()
  const made = new Promise<StreamHandle>((resolve, reject) => {
    const request = new binding.ConnectRequest()
    request.oncomplete = (status) => (status === 0 ? resolve(handle) : reject(new Error(String(status))))
    const status = handle.connect(request, '127.0.0.1', port)
    if (status !== 0) reject(new Error(String(status)))
  })
  return Promise.all([made, accepted])
}

/** One end of the connection, and what it was told. */
class End implements TransportOwner {
  readonly transport: Transport
  /** The first octets, and how many there were in all. */
  first: Buffer = Buffer.alloc(0)
  /** What came after the first octets is what was sent. */
  whole = true
  #count = 0
  #peerEnded = false
  #closed = false
  #waiting: { readonly met: () => boolean; readonly resolve: () => void }[] = []

  constructor(handle: StreamHandle, binding: StreamBinding) {
    this.transport = overHandle(handle, binding)(this)
  }

  has(count: number): Promise<void> {
    return this.#until(() => this.#count >= count)
  }

  get ended(): Promise<void> {
    return this.#until(() => this.#peerEnded)
  }

  get gone(): Promise<void> {
    return this.#until(() => this.#closed)
  }

  received(bytes: Buffer): void {
    const missing = Math.max(0, FIRST - this.#count)
    if (missing > 0) this.first = Buffer.concat([this.first, bytes.subarray(0, missing)])
    for (let at = Math.min(missing, bytes.length); at < bytes.length; ) {
      const from = (this.#count + at - FIRST) % PERIOD
      const length = Math.min(bytes.length - at, PIECE.length - from)
      if (bytes.compare(PIECE, from, from + length, at, at + length) !== 0) this.whole = false
      at += length
    }
    this.#count += bytes.length
    this.#look()
  }

  drained(): void {}

  peerEnded(): void {
    this.#peerEnded = true
    this.#look()
  }

  failed(): void {
    this.whole = false
    this.transport.destroy(false)
  }

  closed(): void {
    this.#closed = true
    this.#look()
  }

  #until(met: () => boolean): Promise<void> {
    if (met()) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ met, resolve }))
  }

  #look(): void {
    this.#waiting = this.#waiting.filter(({ met, resolve }) => {
      if (!met()) return true
      resolve()
      return false
    })
  }
}
