// SPDX-License-Identifier: MIT
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { NEVER } from '@portico/base'
import { expect, test } from 'vitest'
import { converse, type Leg } from '../src/index.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function held(): number {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const leg = (): Leg => ({ buffered: 0, pause() {}, resume() {}, setReader() {} }) as unknown as Leg

test('octets that come one by one cost little more than they are', async () => {
  const OCTETS = 4_000
  const conversations = Array.from({ length: 100 }, () => converse(leg()))
  const reads = conversations.map((conversation) => conversation.readExactly(OCTETS + 1, NEVER))
  const before = held()
  for (const conversation of conversations) {
    for (let n = 0; n < OCTETS; n += 1) conversation.onBytes(Buffer.from([n & 0xff]))
  }
  expect((held() - before) / conversations.length).toBeLessThan(3 * OCTETS)
  for (const conversation of conversations) conversation.onBytes(Buffer.from('!?'))
  for (const read of await Promise.all(reads)) {
    if (read.kind !== 'bytes') throw new Error(read.kind)
    expect(read.bytes.length).toBe(OCTETS + 1)
    expect(read.bytes.subarray(0, OCTETS).every((octet, n) => octet === (n & 0xff))).toBe(true)
    expect(read.bytes.at(-1)).toBe(0x21)
  }
})
