// SPDX-License-Identifier: MIT
import { CancellationSource, NEVER, systemClock } from '@portico/base'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { type Conversation, converse, createTimerWheel, type Leg, type LineRead, type PumpSink } from '../src/index.js'
import { LegInput } from '../src/leg-input.js'
import { plainPair } from './leg-pairs.js'
import { Recorder } from './support.js'

const wheel = createTimerWheel(systemClock)
afterAll(() => wheel.close())

/** A leg with the real receiving half and no socket, fed by hand. */
function fakeLeg(): { leg: Leg; input: LegInput } {
  const source = { halt: () => undefined, flow: () => undefined, failed: (error: Error) => input.finish(asEnd(error)) }
  const input: LegInput = new LegInput(source)
  const face = {
    setReader: input.setReader.bind(input),
    pause: () => input.pause(),
    resume: () => input.resume(),
    get buffered() {
      return input.buffered
    },
  }
  return { leg: face as unknown as Leg, input }
}

function asEnd(cause: Error) {
  return { kind: 'error', code: 'other', cause } as const
}

function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end))
}

function shown(read: LineRead): string {
  return read.kind === 'line' ? `${read.bytes.toString('latin1')}${read.bareLf ? '|LF' : ''}` : `<${read.kind}>`
}

async function allLines(dialogue: Conversation, limit: number): Promise<string[]> {
  const lines: string[] = []
  for (;;) {
    const read = await dialogue.readLine(limit, NEVER)
    if (read.kind === 'peer-ended' || read.kind === 'ended') return lines
    lines.push(shown(read))
  }
}

async function linesOf(fed: readonly Buffer[], limit: number): Promise<string[]> {
  const { leg, input } = fakeLeg()
  const lines = allLines(converse(leg), limit)
  for (const piece of fed) {
    input.deliver(piece)
    await Promise.resolve()
  }
  input.eof()
  return lines
}

/** The same by other means. */
function expectedLines(text: string, limit: number): string[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const bare = line.endsWith('\r') ? line.slice(0, -1) : line
      if (bare.length > limit) return '<too-long>'
      return line.endsWith('\r') ? bare : `${bare}|LF`
    })
}

describe('lines', () => {
  const piece = fc.constantFrom('a', 'bc', 'defghijk', '\r', '\n', '\r\n', '\0', ' ')
  test('any split of the octets gives the same lines, over-long ones included', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 60 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        fc.integer({ min: 0, max: 12 }),
        async (parts, cuts, limit) => {
          const text = parts.join('')
          const lines = await linesOf(pieces(Buffer.from(text, 'latin1'), cuts), limit)
          expect(lines).toEqual(expectedLines(text, limit))
        },
      ),
      { numRuns: 300 },
    )
  })

  test.each([
    ['exactly the limit', 'x'.repeat(10), 'x'.repeat(10)],
    ['one octet more', 'x'.repeat(11), '<too-long>'],
    ['empty', '', ''],
  ])('a line of %s', async (_label, line, expected) => {
    expect(await linesOf([Buffer.from(`${line}\r\n`)], 10)).toEqual([expected])
  })

  test('a line of a megabyte is swallowed without being kept, and the next one is whole', async () => {
    const { leg, input } = fakeLeg()
    const dialogue = converse(leg)
    const read = dialogue.readLine(100, NEVER)
    for (let i = 0; i < 16; i += 1) input.deliver(Buffer.alloc(65_536, 'x'))
    input.deliver(Buffer.from('tail\r\nb NOOP\r\n'))
    expect(await read).toEqual({ kind: 'too-long' })
    expect(shown(await dialogue.readLine(100, NEVER))).toBe('b NOOP')
  })

  test('a line whose reading was cancelled in the middle is not lost, nor does the rest of a too long one become a line', async () => {
    const { leg, input } = fakeLeg()
    const dialogue = converse(leg)
    for (const [start, end, expected] of [
      ['a LOG', 'IN\r\n', 'a LOGIN'],
      ['x'.repeat(50), ' b LOGIN\r\n', '<too-long>'],
    ] as const) {
      const signal = new CancellationSource()
      const read = dialogue.readLine(20, signal)
      input.deliver(Buffer.from(start))
      await Promise.resolve()
      signal.abort('superseded')
      expect(await read).toEqual({ kind: 'cancelled' })
      const again = dialogue.readLine(20, NEVER)
      input.deliver(Buffer.from(end))
      expect(shown(await again)).toBe(expected)
    }
  })
})

describe('counted octets', () => {
  test('lines, literals and skipped parts under any split are cut where they were announced (RFC 9051 section 4.3)', async () => {
    const wire = Buffer.from('a APPEND {5}\r\nhello rest\r\nSKIPPEDb\r\n', 'latin1')
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 12 }), async (cuts) => {
        const { leg, input } = fakeLeg()
        const dialogue = converse(leg)
        const seen = (async () => [
          shown(await dialogue.readLine(100, NEVER)),
          await dialogue.readExactly(5, NEVER),
          shown(await dialogue.readLine(100, NEVER)),
          await dialogue.swallow(7, NEVER),
          await dialogue.readExactly(0, NEVER),
          shown(await dialogue.readLine(100, NEVER)),
        ])()
        for (const piece of pieces(wire, cuts)) {
          input.deliver(piece)
          await Promise.resolve()
        }
        expect(await seen).toEqual([
          'a APPEND {5}',
          { kind: 'bytes', bytes: Buffer.from('hello') },
          ' rest',
          { kind: 'done' },
          { kind: 'bytes', bytes: Buffer.alloc(0) },
          'b',
        ])
      }),
    )
  })

  test('a pump stops exactly where its sink has enough, and while it is blocked nothing comes', async () => {
    const { leg, input } = fakeLeg()
    const dialogue = converse(leg)
    const taken: string[] = []
    let wake = (): void => undefined
    const sink = {
      blocked: false,
      done: false,
      start: (resume: () => void) => {
        wake = resume
      },
      take(view: Uint8Array) {
        const text = Buffer.from(view).toString('latin1')
        const end = text.indexOf('.')
        sink.blocked = true
        taken.push(end < 0 ? text : text.slice(0, end + 1))
        return end < 0 ? view.length : end + 1
      },
    }
    const pumped = dialogue.pump(sink satisfies PumpSink, NEVER)
    input.deliver(Buffer.from('one'))
    await Promise.resolve()
    input.deliver(Buffer.from('two'))
    await Promise.resolve()
    expect(taken).toEqual(['one'])
    wake()
    await Promise.resolve()
    expect(taken).toEqual(['one', 'two'])
    wake()
    input.deliver(Buffer.from('three.QUIT\r\n'))
    expect(await pumped).toEqual({ kind: 'done' })
    expect(taken).toEqual(['one', 'two', 'three.'])
    expect(shown(await dialogue.readLine(100, NEVER))).toBe('QUIT')
  })

  test('a sink that gives up ends the pump, and the octets stay', async () => {
    const { leg, input } = fakeLeg()
    const dialogue = converse(leg)
    let giveUp = (): void => undefined
    const sink: PumpSink = {
      blocked: false,
      done: false,
      start: (_resume, abort) => {
        giveUp = abort
      },
      take: (view) => view.length,
    }
    const pumped = dialogue.pump(sink, NEVER)
    giveUp()
    input.deliver(Buffer.from('left\r\n'))
    expect(await pumped).toEqual({ kind: 'sink-closed' })
    expect(shown(await dialogue.readLine(100, NEVER))).toBe('left')
  })
})

describe('over a socket', () => {
  test('pipelined lines are answered in order, and who takes over finds the rest untouched', async () => {
    await using pair = await plainPair(wheel)
    const dialogue = converse(pair.server)
    const answers = new Recorder()
    pair.client.setReader(answers)
    pair.client.resume()
    pair.client.writeText(`${Array.from({ length: 50 }, (_, i) => `a${i} NOOP\r\n`).join('')}the rest`)
    for (let i = 0; i < 50; i += 1) {
      const line = await dialogue.readLine(100, NEVER)
      pair.server.writeText(`${shown(line)} OK\r\n`)
    }
    expect(dialogue.hasInput).toBe(true)
    const next = new Recorder()
    dialogue.handOver(next)
    await next.until(() => next.text === 'the rest')
    await answers.until(() => answers.text.endsWith('a49 NOOP OK\r\n'))
    expect(answers.text).toBe(Array.from({ length: 50 }, (_, i) => `a${i} NOOP OK\r\n`).join(''))
  })

  test('a client that leaves while a line is awaited ends the read; later reads end at once', async () => {
    await using pair = await plainPair(wheel)
    const dialogue = converse(pair.server)
    const read = dialogue.readLine(100, NEVER)
    pair.client.writeText('half a li')
    pair.client.end()
    expect(await read).toEqual({ kind: 'peer-ended' })
    pair.server.destroy()
    const ended = new Promise((resolve) => setTimeout(resolve, 20))
    await ended
    expect(await dialogue.readLine(100, NEVER)).toEqual({ kind: 'ended', why: { kind: 'destroyed' } })
  })
})

describe('waiting for input', () => {
  test('ends with the first octet, which stays for whoever reads next', async () => {
    const { leg, input } = fakeLeg()
    const dialogue = converse(leg)
    const waiting = dialogue.awaitInput(NEVER)
    input.deliver(Buffer.from('QU'))
    expect(await waiting).toEqual({ kind: 'input' })
    expect(await dialogue.awaitInput(NEVER)).toEqual({ kind: 'input' })
    input.deliver(Buffer.from('IT\r\n'))
    expect(shown(await dialogue.readLine(100, NEVER))).toBe('QUIT')
    expect(dialogue.hasInput).toBe(false)
  })

  test('ends at once where the beginning of a line is held', async () => {
    const { leg, input } = fakeLeg()
    const dialogue = converse(leg)
    const stop = new CancellationSource()
    const line = dialogue.readLine(100, stop)
    input.deliver(Buffer.from('QU'))
    await Promise.resolve()
    stop.abort('deadline')
    expect(shown(await line)).toBe('<cancelled>')
    expect(await dialogue.awaitInput(NEVER)).toEqual({ kind: 'input' })
    input.deliver(Buffer.from('IT\r\n'))
    expect(shown(await dialogue.readLine(100, NEVER))).toBe('QUIT')
  })

  test('ends with its signal, and the leg is paused again', async () => {
    const { leg, input } = fakeLeg()
    const dialogue = converse(leg)
    const stop = new CancellationSource()
    const waiting = dialogue.awaitInput(stop)
    stop.abort('deadline')
    expect(await waiting).toEqual({ kind: 'cancelled' })
    input.deliver(Buffer.from('QUIT\r\n'))
    expect(shown(await dialogue.readLine(100, NEVER))).toBe('QUIT')
  })

  test('ends when the peer has finished', async () => {
    const { leg } = fakeLeg()
    const dialogue = converse(leg)
    const waiting = dialogue.awaitInput(NEVER)
    dialogue.onPeerEnd()
    expect(await waiting).toEqual({ kind: 'peer-ended' })
  })
})
