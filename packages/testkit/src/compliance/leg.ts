// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import type { Leg, LegEnd, LegReader, Octets } from '@portico/net'
import { describe, expect, test } from 'vitest'

/** Two legs that are the ends of one connection, both paused and without a reader. */
export interface LegPair extends AsyncDisposable {
  readonly client: Leg
  readonly server: Leg
}

/** What every kind of leg has to do, whatever lies below it. `makePair` opens a new connection for each test. */
export function legCompliance(name: string, makePair: () => Promise<LegPair>): void {
  describe(`leg: ${name}`, () => {
    readingTests(makePair)
    writingTests(makePair)
    endingTests(makePair)
    limitTests(makePair)
  })
}

class Notes implements LegReader {
  readonly pieces: Buffer[] = []
  readonly events: string[] = []
  readonly ends: LegEnd[] = []
  take: (view: Octets) => number = (view) => view.length
  readonly #waiting: { readonly ready: () => boolean; readonly resolve: () => void }[] = []

  get text(): string {
    return Buffer.concat(this.pieces).toString('latin1')
  }

  get length(): number {
    return this.pieces.reduce((sum, piece) => sum + piece.length, 0)
  }

  onBytes(view: Octets): number {
    const count = this.take(view)
    this.pieces.push(Buffer.from(view.subarray(0, count)))
    return this.#note('bytes', count)
  }

  onDrain(): void {
    this.#note('drain', 0)
  }

  onPeerEnd(): void {
    this.#note('peer-end', 0)
  }

  onEnd(why: LegEnd): void {
    this.ends.push(why)
    this.#note('end', 0)
  }

  until(ready: () => boolean): Promise<void> {
    if (ready()) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ ready, resolve }))
  }

  #note(event: string, count: number): number {
    this.events.push(event)
    for (const { ready, resolve } of this.#waiting) if (ready()) resolve()
    return count
  }
}

function reading(leg: Leg): Notes {
  const notes = new Notes()
  leg.setReader(notes)
  leg.resume()
  return notes
}

/** Long enough for loopback octets to arrive, for tests that nothing happens. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 30))
}

function readingTests(makePair: () => Promise<LegPair>): void {
  test('octets come in order and are counted', async () => {
    await using pair = await makePair()
    const notes = reading(pair.server)
    for (let i = 0; i < 100; i += 1) pair.client.writeText(`line ${i}\r\n`)
    await notes.until(() => notes.text.endsWith('line 99\r\n'))
    expect(notes.text).toBe(Array.from({ length: 100 }, (_, i) => `line ${i}\r\n`).join(''))
    expect(pair.server.bytesRead).toBe(notes.length)
    expect(pair.client.bytesWritten).toBe(notes.length)
  })

  test('what the old reader left comes to the new one first, and not inside setReader', async () => {
    await using pair = await makePair()
    const first = new Notes()
    const second = new Notes()
    let duringSwap = 0
    first.take = (view) => {
      pair.server.setReader(second)
      duringSwap = second.pieces.length
      return Math.min(7, view.length)
    }
    pair.server.setReader(first)
    pair.server.resume()
    pair.client.writeText('login\r\nselect\r\n')
    await second.until(() => second.text.endsWith('select\r\n'))
    pair.client.writeText('fetch\r\n')
    await second.until(() => second.text.endsWith('fetch\r\n'))
    expect(first.text).toBe('login\r\n')
    expect(second.text).toBe('select\r\nfetch\r\n')
    expect(duringSwap).toBe(0)
    expect(pair.server.buffered).toBe(0)
  })

  test('nothing comes after pause, and resume loses nothing', async () => {
    await using pair = await makePair()
    const notes = new Notes()
    notes.take = () => {
      pair.server.pause()
      return 1
    }
    pair.server.setReader(notes)
    pair.server.resume()
    pair.client.writeText('abc')
    await notes.until(() => notes.pieces.length === 1)
    pair.client.writeText('def')
    await settle()
    expect(notes.text).toBe('a')
    expect(pair.server.buffered).toBeGreaterThan(0)
    notes.take = (view) => view.length
    pair.server.resume()
    await notes.until(() => notes.text === 'abcdef')
  })

  test('the end of the peer is told after the last octet, to a paused reader after resume', async () => {
    await using pair = await makePair()
    const notes = new Notes()
    pair.server.pause()
    pair.server.setReader(notes)
    pair.client.writeText('last words')
    pair.client.end()
    await settle()
    expect(notes.events).toEqual([])
    pair.server.resume()
    await notes.until(() => notes.events.includes('peer-end'))
    expect(notes.text).toBe('last words')
    expect(notes.events.at(-1)).toBe('peer-end')
    expect(pair.server.state).toBe('peer-ended')
  })

  test('a new reader is told of an end that the old one saw', async () => {
    await using pair = await makePair()
    const first = reading(pair.server)
    pair.client.end()
    await first.until(() => first.events.includes('peer-end'))
    const second = new Notes()
    pair.server.setReader(second)
    await second.until(() => second.events.includes('peer-end'))
    pair.server.end()
    await second.until(() => second.ends.length > 0)
    expect(first.ends).toEqual([])
    const third = new Notes()
    pair.server.setReader(third)
    await third.until(() => third.ends.length > 0)
    expect(third.events).toEqual(['peer-end', 'end'])
  })

  test('a reader that throws costs its own leg and nothing else', async () => {
    await using pair = await makePair()
    const notes = new Notes()
    notes.take = () => {
      throw new Error('a bug')
    }
    pair.server.setReader(notes)
    pair.server.resume()
    pair.client.writeText('x')
    await notes.until(() => notes.ends.length > 0)
    expect(notes.ends[0]).toMatchObject({ kind: 'error', code: 'other' })
  })
}

function writingTests(makePair: () => Promise<LegPair>): void {
  test('write says false to whoever outruns a slow reader, then onDrain; every octet arrives', async () => {
    await using pair = await makePair()
    const sending = reading(pair.client)
    const sent = createHash('sha256')
    const piece = Buffer.alloc(65_536)
    let stalls = 0
    let mostQueued = 0
    const total = 200
    for (let i = 0; i < total; i += 1) {
      piece.fill(i)
      sent.update(piece)
      const more = pair.client.write(Buffer.from(piece))
      mostQueued = Math.max(mostQueued, pair.client.queued)
      if (i === total / 2) expect(stalls).toBeGreaterThan(0)
      if (more) continue
      stalls += 1
      const drains = sending.events.length
      const drained = sending.until(() => sending.events.length > drains)
      const quick = await Promise.race([drained.then(() => true), settle().then(() => false)])
      if (!quick) break
    }
    // The peer has not read at all, so that the sender must have been stopped.
    expect(mostQueued).toBeLessThan(512 * 1024)
    expect(pair.client.needsDrain).toBe(true)
    const received = createHash('sha256')
    const notes = new Notes()
    let length = 0
    notes.take = (view) => {
      received.update(view)
      length += view.length
      return view.length
    }
    pair.server.setReader(notes)
    pair.server.resume()
    await notes.until(() => length === pair.client.bytesWritten)
    expect(pair.client.bytesWritten).toBeLessThanOrEqual(total * 65_536)
    const expected = createHash('sha256')
    for (let i = 0; i < length / 65_536; i += 1) expected.update(piece.fill(i))
    expect(received.digest('hex')).toBe(expected.digest('hex'))
  })

  test('a batch is one write, nests, and is released when its filling throws', async () => {
    await using pair = await makePair()
    const notes = reading(pair.server)
    pair.client.batch(() => {
      for (let i = 0; i < 20; i += 1) pair.client.batch(() => pair.client.writeText(`250 reply ${i}\r\n`))
    })
    await notes.until(() => notes.text.endsWith('reply 19\r\n'))
    expect(notes.pieces).toHaveLength(1)
    expect(() =>
      pair.client.batch(() => {
        pair.client.writeText('kept')
        throw new Error('in the middle')
      }),
    ).toThrow('in the middle')
    await notes.until(() => notes.text.endsWith('kept'))
  })

  test('what is written after end is ignored', async () => {
    await using pair = await makePair()
    const notes = reading(pair.server)
    pair.client.writeText('before')
    pair.client.end()
    expect(pair.client.write(Buffer.from('after'))).toBe(false)
    expect(pair.client.state).toBe('ended')
    await notes.until(() => notes.events.includes('peer-end'))
    expect(notes.text).toBe('before')
  })
}

function endingTests(makePair: () => Promise<LegPair>): void {
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
}

function limitTests(makePair: () => Promise<LegPair>): void {
  test('silence ends a leg as idle, not before its time; an octet in either direction starts it again', async () => {
    await using pair = await makePair()
    const client = reading(pair.client)
    reading(pair.server)
    const began = performance.now()
    pair.client.setIdle(300)
    await settle()
    pair.server.writeText('still here')
    await client.until(() => client.length > 0)
    const spoke = performance.now()
    await client.until(() => client.ends.length > 0)
    expect(client.ends).toEqual([{ kind: 'idle' }])
    expect(performance.now() - spoke).toBeGreaterThanOrEqual(300)
    expect(performance.now() - began).toBeLessThan(3_000)
  })

  test('a deadline ends a leg however much it says', async () => {
    await using pair = await makePair()
    const client = reading(pair.client)
    reading(pair.server)
    const chatter = setInterval(() => pair.server.writeText('.'), 10)
    const began = performance.now()
    pair.client.setDeadline(200)
    await client.until(() => client.ends.length > 0)
    clearInterval(chatter)
    expect(client.ends).toEqual([{ kind: 'deadline' }])
    expect(performance.now() - began).toBeGreaterThanOrEqual(200)
  })

  test('a limit that was turned off does not fire', async () => {
    await using pair = await makePair()
    const client = reading(pair.client)
    pair.client.setDeadline(100)
    pair.client.setIdle(100)
    pair.client.setDeadline(0)
    pair.client.setIdle(0)
    await new Promise((resolve) => setTimeout(resolve, 350))
    expect(client.ends).toEqual([])
  })
}
