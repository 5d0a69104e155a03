// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { held, hold, readMemory, writable } from '../src/read-memory.js'

const FULL = 65_536

/** A socket that reads into its memory whatever it is told to. */
function socketThat(onBytes: (view: Buffer) => void) {
  const options = readMemory({ received: onBytes })
  const next = (): Uint8Array => (typeof options.buffer === 'function' ? options.buffer() : options.buffer)
  let memory = next()
  return {
    get memory() {
      return memory
    },
    reads(octet: string, length: number) {
      memory.fill(octet.charCodeAt(0), 0, length)
      expect(options.callback(length, memory)).toBe(true)
      memory = next()
    },
  }
}

test.each([
  ['written', (view: Buffer) => writable(view)],
  ['held', (view: Buffer) => hold(view)],
])('a short read that was %s is not changed by what another socket reads', (_how, keep) => {
  let kept: Uint8Array = Buffer.alloc(0)
  const one = socketThat((view) => {
    kept = keep(view)
  })
  const other = socketThat(() => undefined)
  one.reads('a', 100)
  other.reads('b', 100)
  expect(Buffer.from(kept).toString('latin1')).toBe('a'.repeat(100))
})

test.each([
  ['a socket still holds', (view: Buffer) => held(writable(view))],
  ['the reader kept a part of', (view: Buffer) => hold(view.subarray(10))],
])('bulk memory that %s is not read into again', (_who, keep) => {
  const views: Buffer[] = []
  const socket = socketThat((view) => {
    if (views.push(view) > 1) keep(view)
  })
  socket.reads('a', FULL)
  socket.reads('b', FULL)
  const second = views[1]
  expect(socket.memory.buffer).not.toBe(second?.buffer)
  socket.reads('c', FULL)
  expect(second?.every((octet) => octet === 98)).toBe(true)
})

test('bulk memory that nobody kept is used again, is not shared, and is given back at the first short read', () => {
  const socket = socketThat((view) => void writable(view))
  const idle = socket.memory
  socket.reads('a', FULL)
  const own = socket.memory
  expect(own).not.toBe(idle)
  socket.reads('b', FULL)
  expect(socket.memory).toBe(own)
  socket.reads('c', 10)
  expect(socket.memory).toBe(idle)
})
