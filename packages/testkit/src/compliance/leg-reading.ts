// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { Notes, reading, settle } from './leg-notes.js'
import type { LegPair } from './leg-pair.js'

/** What a reader is told, and when. */
export function readingTests(makePair: () => Promise<LegPair>): void {
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
