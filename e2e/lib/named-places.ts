// SPDX-License-Identifier: MIT
import { connect, createServer, type Socket } from 'node:net'

/** What a client reaches by name and standard port, although it stands on other ports of this machine. */
export interface NamedPlaces {
  /** Of the SOCKS 5 proxy (RFC 1928) that clients are given. */
  readonly port: number
  /** `name:port` of every connection that was asked for, in their order. */
  readonly asked: readonly string[]
  stop(): Promise<void>
}

/**
 * Starts a proxy that leads each of these `name:port` to a port of this machine, and refuses all others: a client finds servers
 * as it would in the network, its own code asks for the names and ports that were published, and nothing leaves the machine.
 */
export async function startNamedPlaces(places: Readonly<Record<string, number>>): Promise<NamedPlaces> {
  const asked: string[] = []
  const open = new Set<Socket>()
  const server = createServer((client) => {
    open.add(client.on('close', () => open.delete(client)).on('error', () => client.destroy()))
    void lead(client, places, asked).catch(() => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    asked,
    async stop() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const CONNECT = 1
const DOMAIN_NAME = 3

async function lead(client: Socket, places: Readonly<Record<string, number>>, asked: string[]): Promise<void> {
  const [, methods = 0] = await read(client, 2)
  await read(client, methods)
  client.write(Uint8Array.of(5, 0))
  const [, command, , kind, length = 0] = await read(client, 5)
  if (command !== CONNECT || kind !== DOMAIN_NAME) return refuse(client)
  const rest = await read(client, length + 2)
  const place = `${rest.toString('latin1', 0, length).toLowerCase()}:${rest.readUInt16BE(length)}`
  asked.push(place)
  const port = places[place]
  if (port === undefined) return refuse(client)
  const there = connect(port, '127.0.0.1')
  there.on('error', () => client.destroy()).on('close', () => client.destroy())
  client.on('close', () => there.destroy())
  there.once('connect', () => {
    client.write(Uint8Array.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 0))
    client.pipe(there).pipe(client)
  })
}

/** 4: host unreachable. */
function refuse(client: Socket): void {
  client.end(Uint8Array.of(5, 4, 0, 1, 0, 0, 0, 0, 0, 0))
}

async function read(client: Socket, length: number): Promise<Buffer> {
  if (length === 0) return Buffer.alloc(0)
  for (;;) {
    const octets = client.read(length) as Buffer | null
    if (octets !== null) return octets
    if (client.readableEnded || client.destroyed) throw new Error('the client has gone')
    await new Promise<void>((resolve) => {
      client.once('readable', resolve)
      client.once('close', resolve)
    })
  }
}
