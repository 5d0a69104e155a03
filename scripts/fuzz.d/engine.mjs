// SPDX-License-Identifier: MIT
// What is asked of every parser, whatever its input: that it throws nothing but its documented error, ends in time, and gives the
// same result however the octets were cut.
import { createHash } from 'node:crypto'

/** Milliseconds of the processor for one input; the best of three counts, since garbage is collected meanwhile. */
const LONGEST_MS = 100
const PATIENCE_MS = 60_000

/** Runs one input through a target. Rejects, saying what is wrong, when a property does not hold. */
export async function examine(target, bytes) {
  const whole = await run(target, bytes, [bytes])
  await target.check?.(whole.result, bytes)
  const longest = target.longestMs ?? LONGEST_MS
  if (whole.ms > longest) {
    const times = [whole.ms]
    for (let n = 0; n < 2; n++) times.push((await run(target, bytes, [bytes])).ms)
    const best = Math.min(...times)
    if (best > longest) throw new Error(`${bytes.length} octets took ${best.toFixed(0)} ms`)
  }
  if (target.streams !== true) return
  const expected = plain(whole.result)
  for (const [how, pieces] of [
    ['octet by octet', cut(bytes, () => 1)],
    ['in pieces', cut(bytes, sizesFor(bytes))],
  ]) {
    const { result } = await run(target, bytes, pieces)
    const actual = plain(result)
    if (actual !== expected) throw new Error(`${how} it is\n  ${actual}\nand at once\n  ${expected}`)
  }
}

async function run(target, bytes, pieces) {
  const began = process.cpuUsage()
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${PATIENCE_MS} ms`)), PATIENCE_MS)
  })
  try {
    const result = await Promise.race([
      target.run(
        Buffer.from(bytes),
        pieces.map((piece) => Buffer.from(piece)),
      ),
      late,
    ])
    return { result, ms: cpuSince(began) }
  } catch (error) {
    if (target.throws?.(error) !== true) throw error
    return { result: { thrown: error.message }, ms: cpuSince(began) }
  } finally {
    clearTimeout(timer)
  }
}

function cpuSince(began) {
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1_000
}

/** The first octets as `size` says, the rest of a long input in larger pieces. */
function cut(bytes, size) {
  const pieces = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + (at < 4_096 ? size() : 1_000)
    pieces.push(bytes.subarray(at, end))
    at = end
  }
  return pieces
}

/** Sizes that look random and are the same for the same octets. */
function sizesFor(bytes) {
  const digest = createHash('sha256').update(bytes).digest()
  let at = 0
  return () => 1 + ((digest[at++ % digest.length] ?? 0) % 23)
}

/** A value as text that can be compared. */
export function plain(value) {
  return JSON.stringify(value, (_key, item) => {
    if (item instanceof Map) return { map: [...item] }
    if (item instanceof Set) return { set: [...item] }
    if (item instanceof Error) return { error: item.code ?? item.name }
    if (item instanceof Uint8Array) return { octets: Buffer.from(item).toString('hex') }
    return typeof item === 'function' ? undefined : item
  })
}

/** For properties of a target. */
export function must(holds, what) {
  if (!holds) throw new Error(what)
}
