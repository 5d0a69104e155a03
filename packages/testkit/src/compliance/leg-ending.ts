// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { Notes, reading, settle } from './leg-notes.js'
import type { LegPair } from './leg-pair.js'

/** How a leg comes to its end, and who is told. */
export function endingTests(makePair: () => Promise<LegPair>): void {
  test('one side may finish while the other goes on; both end as finished, once', async () => {
    await using pair = await makePair()
    const server = reading(pair.server)
    const client = reading(pair.client)
    pair.client.writeText('question')
    pair.client.end()
    await server.until(() => server.events.includes('peer-end'))
    pair.server.writeText('a late answer')
    await client.until(() => client.text === 'a late answer')
    pair.server.end()
    await client.until(() => client.ends.length > 0)
    await server.until(() => server.ends.length > 0)
    await settle()
    expect([client.ends, server.ends]).toEqual([[{ kind: 'finished' }], [{ kind: 'finished' }]])
    expect([pair.client.state, pair.server.state]).toEqual(['closed', 'closed'])
  })

  test('destroy ends once, at once for the owner, and tells the reader later', async () => {
    await using pair = await makePair()
    const client = reading(pair.client)
    pair.client.destroy()
    pair.client.destroy()
    expect(pair.client.state).toBe('closed')
    expect(client.ends).toEqual([])
    await client.until(() => client.ends.length > 0)
    await settle()
    expect(client.ends).toEqual([{ kind: 'destroyed' }])
  })

  test('destroy with reset reaches the peer as a reset', async () => {
    await using pair = await makePair()
    const server = reading(pair.server)
    const client = reading(pair.client)
    // A dialogue first: the kernel reports a reset once, and it must not be to a write of TLS's own that follows the handshake.
    pair.server.writeText('hello')
    await client.until(() => client.text === 'hello')
    pair.client.destroy({ reset: true })
    await server.until(() => server.ends.length > 0)
    expect(server.ends[0]).toMatchObject({ kind: 'error', code: 'peer-reset' })
  })

  test('who writes until told to stop is told so when the peer is gone', async () => {
    await using pair = await makePair()
    const server = reading(pair.server)
    const client = reading(pair.client)
    pair.server.writeText('hello')
    await client.until(() => client.text === 'hello')
    pair.client.destroy({ reset: true })
    // All in one turn: nothing can be told by an event meanwhile.
    let writes = 0
    while (writes < 1_000 && pair.server.write(new Uint8Array(1_024))) writes += 1
    expect(writes).toBeLessThan(1_000)
    await server.until(() => server.ends.length > 0)
    expect(server.ends).toMatchObject([{ kind: 'error', code: 'peer-reset' }])
  })

  test('close delivers the last words even to a peer whose octets nobody read', async () => {
    await using pair = await makePair()
    const client = reading(pair.client)
    const server = new Notes()
    pair.server.pause()
    pair.server.setReader(server)
    for (let i = 0; i < 20; i += 1) pair.client.writeText('a command that comes too late\r\n'.repeat(100))
    await settle()
    pair.server.writeText('* BYE\r\n')
    pair.server.close(2_000)
    await client.until(() => client.events.includes('peer-end'))
    expect(client.text).toBe('* BYE\r\n')
    pair.client.end()
    await server.until(() => server.ends.length > 0)
    expect(server.pieces).toEqual([])
    expect(server.ends).toEqual([{ kind: 'finished' }])
  })

  test('close drops a peer that does not go, after its time', async () => {
    await using pair = await makePair()
    reading(pair.client)
    const server = reading(pair.server)
    pair.server.close(150)
    await server.until(() => server.ends.length > 0)
    expect(server.ends).toEqual([{ kind: 'destroyed' }])
  })

  test('a released leg gives its socket, paused, with nothing lost, and is closed for its owner', async () => {
    await using pair = await makePair()
    const notes = new Notes()
    pair.server.pause()
    pair.server.setReader(notes)
    pair.client.writeText('PRI * HTTP/2.0\r\n')
    await settle()
    const { socket } = pair.server.release()
    const came = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))))
    socket.resume()
    expect(await came).toBe('PRI * HTTP/2.0\r\n')
    expect(pair.server.state).toBe('closed')
    socket.destroy()
    await settle()
    expect(notes.events).toEqual([])
  })

  test('a released leg goes on to read what comes later', async () => {
    await using pair = await makePair()
    const { socket } = pair.server.release()
    const came = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))))
    socket.resume()
    pair.client.writeText('PRI * HTTP/2.0\r\n')
    expect(await came).toBe('PRI * HTTP/2.0\r\n')
    socket.destroy()
  })
}
