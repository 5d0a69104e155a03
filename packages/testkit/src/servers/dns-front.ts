// SPDX-License-Identifier: MIT
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** Names whose questions come to nothing; `*.name` stands for all names below. */
export interface DnsFaults {
  /** Answered with SERVFAIL (RFC 1035 section 4.1.1). */
  readonly servfail?: readonly string[]
  /** Never answered. */
  readonly silent?: readonly string[]
}

/** Stands before a name server, writes down what it is asked, and spoils some of it. */
export interface DnsFront {
  readonly port: number
  /** Every question so far, such as `TXT example.org`, in lower case and without the dot behind. */
  readonly asked: readonly string[]
  faults: DnsFaults
  close(): Promise<void>
}

const TYPES: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  6: 'SOA',
  12: 'PTR',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
}
const SERVFAIL = 2

/** Listens on `port` of 127.0.0.1, by UDP and by TCP, before the server at `behind`. */
export async function startDnsFront(port: number, behind: number, faults: DnsFaults): Promise<DnsFront> {
  const asked: string[] = []
  const front = { port, asked, faults }
  const judge = (query: Buffer): 'pass' | 'silent' | Buffer => {
    const { name, type } = questionOf(query)
    asked.push(`${type} ${name}`)
    if (holds(front.faults.silent, name)) return 'silent'
    return holds(front.faults.servfail, name) ? servfail(query) : 'pass'
  }
  const udp = createSocket('udp4')
  udp.on('message', (query, from) => relayDatagram(udp, query, from, behind, judge(query)))
  udp.bind(port, '127.0.0.1')
  const held = new Set<Socket>()
  const tcp = createServer((client) => {
    held.add(client.on('close', () => held.delete(client)).on('error', () => client.destroy()))
    onFrames(client, (query) => relayFrame(client, query, behind, judge(query)))
  })
  tcp.listen(port, '127.0.0.1')
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')])
  const close = async (): Promise<void> => {
    for (const client of held) client.destroy()
    await Promise.all([new Promise<void>((done) => udp.close(done)), new Promise((done) => tcp.close(done))])
  }
  return Object.assign(front, { close })
}

function relayDatagram(udp: UdpSocket, query: Buffer, from: RemoteInfo, behind: number, fate: string | Buffer): void {
  if (fate === 'silent') return
  if (typeof fate !== 'string') {
    udp.send(fate, from.port, from.address)
    return
  }
  const there = createSocket('udp4')
  there.on('message', (reply) => {
    there.close()
    udp.send(reply, from.port, from.address)
  })
  there.on('error', () => there.close())
  there.send(query, behind, '127.0.0.1')
}

function relayFrame(client: Socket, query: Buffer, behind: number, fate: string | Buffer): void {
  if (fate === 'silent') return
  if (typeof fate !== 'string') {
    client.write(frame(fate))
    return
  }
  const there = connect(behind, '127.0.0.1', () => there.write(frame(query)))
  there.on('error', () => client.destroy())
  onFrames(there, (reply) => {
    there.destroy()
    client.write(frame(reply))
  })
}

/** Messages over TCP have their length in front (RFC 1035 section 4.2.2). */
function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

function onFrames(socket: Socket, heard: (message: Buffer) => void): void {
  let left = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    left = Buffer.concat([left, chunk])
    while (left.length >= 2 && left.length >= 2 + left.readUInt16BE()) {
      const end = 2 + left.readUInt16BE()
      heard(left.subarray(2, end))
      left = left.subarray(end)
    }
  })
}

/** The one question of a query (RFC 1035 section 4.1.2). */
function questionOf(query: Buffer): { readonly name: string; readonly type: string } {
  const { labels, end } = labelsOf(query)
  const type = query.readUInt16BE(end)
  return { name: labels.join('.').toLowerCase(), type: TYPES[type] ?? String(type) }
}

const HEADER = 12

function labelsOf(query: Buffer): { readonly labels: readonly string[]; readonly end: number } {
  const labels: string[] = []
  let at = HEADER
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { labels, end: at + 1 }
}

/** The query as its own answer: a response with the question alone, and a server's failure. */
function servfail(query: Buffer): Buffer {
  const reply = Buffer.from(query.subarray(0, labelsOf(query).end + 4))
  reply[2] = (reply[2] ?? 0) | 0x80
  reply[3] = SERVFAIL
  reply.fill(0, 6, HEADER)
  return reply
}

function holds(names: readonly string[] | undefined, name: string): boolean {
  return (names ?? []).some((entry) => (entry.startsWith('*.') ? name.endsWith(entry.slice(1)) : name === entry))
}
