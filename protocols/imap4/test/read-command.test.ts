// SPDX-License-Identifier: MIT
import type { ClientDialogue, ClientLine } from '@portico/session'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { textOf } from '../src/parse.js'
import { type CommandRead, LONGEST_LITERAL, MOST_SWALLOWED, readCommand } from '../src/read-command.js'

/** A client whose octets are all there. Keeps what it was told and how much of it was ever held at once. */
class Script {
  written = ''
  longestKept = 0
  #rest: string

  constructor(octets: string) {
    this.#rest = octets
  }

  get left(): string {
    return this.#rest
  }

  async readLine(limit: number): Promise<ClientLine> {
    const end = this.#rest.indexOf('\n')
    if (end < 0) return { kind: 'gone' }
    const text = this.#rest.slice(0, end).replace(/\r$/, '')
    this.#rest = this.#rest.slice(end + 1)
    return text.length > limit ? { kind: 'too-long' } : { kind: 'line', text, bareLf: false }
  }

  async readExactly(count: number): Promise<Buffer | undefined> {
    if (this.#rest.length < count) return undefined
    this.longestKept = Math.max(this.longestKept, count)
    const bytes = Buffer.from(this.#rest.slice(0, count), 'latin1')
    this.#rest = this.#rest.slice(count)
    return bytes
  }

  async swallow(count: number): Promise<boolean> {
    if (this.#rest.length < count) return false
    this.#rest = this.#rest.slice(count)
    return true
  }

  write(latin1: string): void {
    this.written += latin1
  }
}

const rules = { line: 8192, authLine: 16_384, passwordRefusal: () => undefined, first: false }
const read = (script: Script, over: Partial<typeof rules> = {}): Promise<CommandRead> =>
  readCommand(script as unknown as ClientDialogue, { ...rules, ...over })

describe('a command with literals (RFC 9051 section 4.3, RFC 7888)', () => {
  test('any name and password come through, in any mix of forms', async () => {
    const form = fc.constantFrom('quoted', 'literal', 'literal+')
    const secret = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((text) => !text.includes('\0'))
    await fc.assert(
      fc.asyncProperty(secret, secret, form, form, async (user, password, first, second) => {
        const script = new Script(`a LOGIN ${spell(user, first)} ${spell(password, second)}\r\nrest`)
        const command = await read(script)
        expect(command.kind === 'command' && command.command.args.map(textOf)).toEqual([user, password])
        expect(script.left).toBe('rest')
      }),
    )
  })

  test('is never kept beyond its limit, whatever the client says', async () => {
    const piece = fc.oneof(
      fc.nat(2 * MOST_SWALLOWED).map((size) => ` {${size}+}\r\n${'x'.repeat(size)}`),
      fc.string({ unit: 'binary-ascii', maxLength: 40 }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('LOGIN', 'ID', 'NOOP', 'APPEND'),
        fc.array(piece, { maxLength: 6 }),
        async (name, pieces) => {
          const script = new Script(`a ${name} ${pieces.join('')}\r\n`)
          await read(script)
          expect(script.longestKept).toBeLessThanOrEqual(LONGEST_LITERAL)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('many small literals are too long as well', async () => {
    const script = new Script(`a ID (${'{3+}\r\nabc '.repeat(200)})\r\na2 NOOP\r\n`)
    expect(await read(script)).toEqual({ kind: 'refused', tag: 'a', reason: 'too-long' })
    expect(await read(script)).toMatchObject({ kind: 'command', command: { tag: 'a2' } })
  })

  test('a client that waits is told once for each literal', async () => {
    const script = new Script('a LOGIN {2}\r\nab {2}\r\ncd\r\n')
    await read(script)
    expect(script.written).toBe('+ Go ahead\r\n+ Go ahead\r\n')
  })
})

function spell(text: string, form: string): string {
  const octets = Buffer.from(text, 'utf8').toString('latin1')
  if (form === 'quoted' && !/[\r\n]/.test(octets)) return `"${octets.replace(/["\\]/g, '\\$&')}"`
  return `{${octets.length}${form === 'literal' ? '' : '+'}}\r\n${octets}`
}
