// SPDX-License-Identifier: MIT
import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { Spool, type SpooledMessage, type SpoolSettings } from '../src/message/spool.js'
import { SpoolBudget } from '../src/message/spool-budget.js'
import { openSpoolFile, type SpoolFile } from '../src/message/spool-file.js'

const KIB = 1024
const NOTHING = { memory: 0, disk: 0 }
const parent = mkdtempSync(join(tmpdir(), 'spool-test-'))
afterAll(() => rmSync(parent, { recursive: true }))

const realFile = () => openSpoolFile(parent)

function openSpool(settings: Partial<SpoolSettings> = {}): { readonly spool: Spool; readonly budget: SpoolBudget } {
  const budget = settings.budget ?? new SpoolBudget()
  return { spool: new Spool({ budget, maxSize: 100 * KIB * KIB, openFile: realFile, ...settings }), budget }
}

/** A text that is nowhere like itself. */
function octets(length: number, seed = 1): Buffer {
  const some = Buffer.alloc(length)
  for (let at = 0, state = seed; at < length; at += 1) {
    state = (state * 48_271) % 2_147_483_647
    some[at] = state & 0xff
  }
  return some
}

/** Writes as a client's octets come: the view dies with the call, and after a `false` the drain is waited for. */
async function writeAll(spool: Spool, all: Buffer, step: number): Promise<number> {
  let waits = 0
  for (let at = 0; at < all.length; at += step) {
    const view = Buffer.from(all.subarray(at, at + step))
    const drained = new Promise<void>((resolve) => {
      spool.onDrain = resolve
    })
    const flowing = spool.write(view)
    view.fill(0)
    if (flowing) continue
    waits += 1
    await drained
  }
  return waits
}

async function readAll(message: SpooledMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  expect(await message.read((piece) => pieces.push(Buffer.from(piece)) > 0)).toBe('done')
  return Buffer.concat(pieces)
}

async function kept(spool: Spool): Promise<SpooledMessage> {
  const spooled = await spool.finish()
  if (spooled.kind !== 'spooled') throw new Error(`refused: ${spooled.why}`)
  return spooled.message
}

/** A file whose calls fail when the test says so. */
function faultyFile(faults: { write?: number; read?: boolean; short?: boolean; close?: boolean }) {
  const calls = { writes: 0, closed: 0 }
  const open = async (): Promise<SpoolFile> => {
    const file = await realFile()
    return {
      async write(view, position) {
        calls.writes += 1
        if (calls.writes === faults.write) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
        await file.write(view, position)
      },
      async read(into, position) {
        if (faults.read) throw Object.assign(new Error('input/output error'), { code: 'EIO' })
        return (await file.read(into, position)) - (faults.short ? 1 : 0)
      },
      async close() {
        calls.closed += 1
        await file.close()
        if (faults.close) throw Object.assign(new Error('input/output error'), { code: 'EIO' })
      },
    }
  }
  return { open, calls }
}

describe('a message is kept as it came', () => {
  test.each<[string, number, number, keyof typeof NOTHING]>([
    ['nothing', 0, 1, 'memory'],
    ['in memory', 4 * KIB, 1000, 'memory'],
    ['as much as memory takes', 256 * KIB, 1500, 'memory'],
    ['an octet more goes to disk', 256 * KIB + 1, 1500, 'disk'],
    ['much more', 3_000_001, 65_536, 'disk'],
    ['all in one view', 3_000_001, 3_000_001, 'disk'],
  ])('%s', async (_label, size, step, place) => {
    const { spool, budget } = openSpool()
    const all = octets(size)
    await writeAll(spool, all, step)
    const message = await kept(spool)
    expect(message.size).toBe(size)
    expect(budget.held.disk).toBe(place === 'disk' ? size : 0)
    expect(budget.held.memory).toBeLessThanOrEqual(place === 'disk' ? 0 : 2 * 256 * KIB)
    expect((await readAll(message)).equals(all)).toBe(true)
    expect((await readAll(message)).equals(all)).toBe(true)
    expect((await message.start(1000))?.equals(all.subarray(0, 1000))).toBe(true)
    await spool[Symbol.asyncDispose]()
    expect(budget.held).toEqual(NOTHING)
  })

  test('whatever the sizes of what is written, and of what stays in memory', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.nat(2_000), fc.nat(150_000)), { maxLength: 12 }),
        fc.nat(200_000),
        fc.nat(400_000),
        async (sizes, memoryLimit, limit) => {
          const { spool, budget } = openSpool({ memoryLimit })
          await using _spool = spool
          const all = octets(sizes.reduce((sum, size) => sum + size, 0))
          let at = 0
          for (const size of sizes) {
            await writeAll(spool, all.subarray(at, at + size), size || 1)
            at += size
          }
          const message = await kept(spool)
          expect((await readAll(message)).equals(all)).toBe(true)
          expect((await message.start(limit))?.equals(all.subarray(0, limit))).toBe(true)
          expect(budget.held.disk).toBe(all.length > memoryLimit ? all.length : 0)
        },
      ),
      { numRuns: 40 },
    )
  })

  test('several messages at once do not mix', async () => {
    const budget = new SpoolBudget()
    await Promise.all(
      [1, 2, 3, 4].map(async (seed) => {
        await using spool = openSpool({ budget }).spool
        const all = octets(700_000, seed)
        await writeAll(spool, all, 10_000)
        expect((await readAll(await kept(spool))).equals(all)).toBe(true)
      }),
    )
    expect(budget.held).toEqual(NOTHING)
  })

  test('whoever writes faster than the disk has to wait, and memory stays bounded', async () => {
    const { spool, budget } = openSpool()
    await using _spool = spool
    let most = 0
    const all = octets(2_000_000)
    for (let at = 0; at < all.length; at += 50_000) {
      const drained = new Promise<void>((resolve) => {
        spool.onDrain = resolve
      })
      const flowing = spool.write(all.subarray(at, at + 50_000))
      most = Math.max(most, budget.held.memory)
      if (!flowing) await drained
    }
    expect(most).toBeLessThan(600_000)
  })
})

describe('the file', () => {
  test('has no name, and nobody else may read it', async () => {
    const file = await openSpoolFile(parent)
    await file.write(Buffer.from('secret'), 0)
    expect(readdirSync(parent)).toEqual([])
    const descriptors = readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(parent) ? [statSync(`/proc/self/fd/${fd}`)] : []
      } catch {
        return []
      }
    })
    expect(descriptors.map(({ mode, nlink }) => [(mode & 0o777).toString(8), nlink])).toEqual([['600', 0]])
    await file.close()
  })

  test('that has to keep its name while it is open loses it when it is closed', async () => {
    const file = await openSpoolFile(parent, () => Promise.reject(new Error('busy')))
    const [directory = ''] = readdirSync(parent)
    expect((statSync(join(parent, directory)).mode & 0o777).toString(8)).toBe('700')
    await file.write(Buffer.from('secret'), 0)
    await file.close()
    expect(readdirSync(parent)).toEqual([])
  })

  test('that cannot be made leaves nothing behind', async () => {
    await expect(openSpoolFile(join(parent, 'nosuch'))).rejects.toMatchObject({ code: 'ENOENT' })
    expect(readdirSync(parent)).toEqual([])
  })
})

describe('a message that cannot be kept is refused, and everything is given back', () => {
  const anything = octets(1_000_000)

  test.each<[string, Partial<SpoolSettings>, string]>([
    ['larger than it may be', { maxSize: 999_999 }, 'too-big'],
    ['no memory', { budget: new SpoolBudget({ memory: 100_000 }) }, 'no-room'],
    ['no room on disk', { budget: new SpoolBudget({ disk: 500_000 }) }, 'no-room'],
    ['a file cannot be made', { openFile: () => openSpoolFile(join(parent, 'nosuch')) }, 'disk'],
    ['the disk is full at once', { openFile: faultyFile({ write: 1 }).open }, 'disk'],
    ['the disk is full later', { openFile: faultyFile({ write: 9 }).open }, 'disk'],
    ['the file cannot be closed either', { openFile: faultyFile({ write: 3, close: true }).open }, 'disk'],
  ])('%s', async (_label, settings, why) => {
    const { spool, budget } = openSpool(settings)
    await writeAll(spool, anything, 20_000)
    expect(await spool.finish()).toEqual({ kind: 'refused', why })
    expect(spool.fault).toBe(why)
    expect(budget.held).toEqual(NOTHING)
    expect(spool.write(anything)).toBe(true)
    await spool[Symbol.asyncDispose]()
    expect(budget.held).toEqual(NOTHING)
    expect(readdirSync(parent)).toEqual([])
  })

  test('the last octets may find the disk full', async () => {
    const { open, calls } = faultyFile({ write: 4 })
    const { spool, budget } = openSpool({ openFile: open, memoryLimit: 100_000 })
    await writeAll(spool, octets(100_001), 100_001)
    expect(await spool.finish()).toEqual({ kind: 'refused', why: 'disk' })
    expect(calls).toEqual({ writes: 4, closed: 1 })
    expect(budget.held).toEqual(NOTHING)
  })

  test('with little memory left, messages go to disk early', async () => {
    const budget = new SpoolBudget({ memory: 300_000 })
    budget.take('memory', 151_000)
    const { spool } = openSpool({ budget })
    await using _spool = spool
    await writeAll(spool, octets(80_000), 1000)
    await kept(spool)
    expect(budget.held).toEqual({ memory: 151_000, disk: 80_000 })
  })

  test('whoever waits is told to go on, also when there was no room for what came at the same time', async () => {
    const budget = new SpoolBudget({ memory: 320 * KIB })
    let onOpen = (): void => {}
    const opened = new Promise<void>((resolve) => {
      onOpen = resolve
    })
    const { spool } = openSpool({ budget, openFile: () => opened.then(realFile) })
    await using _spool = spool
    const drained = new Promise<void>((resolve) => {
      spool.onDrain = resolve
    })
    expect(spool.write(octets(260 * KIB))).toBe(false)
    spool.write(octets(100 * KIB))
    expect(spool.fault).toBe('no-room')
    onOpen()
    await drained
  })

  test('the budget lets nobody take more than there is', () => {
    const budget = new SpoolBudget({ memory: 10, disk: 20 })
    expect(budget.take('memory', 11)).toBe(false)
    expect(budget.take('memory', 10)).toBe(true)
    expect(budget.take('memory', 1)).toBe(false)
    expect(budget.take('disk', 20)).toBe(true)
    budget.giveBack('memory', 4)
    expect(budget.take('memory', 4)).toBe(true)
    expect(budget.held).toEqual({ memory: 10, disk: 20 })
  })
})

describe('reading', () => {
  const message = async (settings: Partial<SpoolSettings> = {}) => {
    const { spool, budget } = openSpool({ memoryLimit: 0, ...settings })
    await writeAll(spool, octets(300_000), 50_000)
    return { spool, budget, message: await kept(spool) }
  }

  test('goes on only when the reader is ready, and stops when it has enough', async () => {
    const kept = await message()
    await using _spool = kept.spool
    let pieces = 0
    let ready = true
    const end = await kept.message.read(async () => {
      expect(ready).toBe(true)
      ready = false
      await new Promise((resolve) => setImmediate(resolve))
      ready = true
      pieces += 1
      return pieces < 3
    })
    expect([end, pieces]).toEqual(['stopped', 3])
  })

  test.each<[string, Parameters<typeof faultyFile>[0]]>([
    ['an error of the disk', { read: true }],
    ['a file that is too short', { short: true }],
  ])('%s is told', async (_label, faults) => {
    const kept = await message({ openFile: faultyFile(faults).open })
    await using _spool = kept.spool
    expect(await kept.message.read(() => true)).toBe('failed')
    expect(await kept.message.start(10)).toBeUndefined()
  })

  test('ends when the message is disposed of', async () => {
    const kept = await message()
    const end = await kept.message.read(async () => {
      await kept.spool[Symbol.asyncDispose]()
      return true
    })
    expect(end).toBe('failed')
    expect(await kept.message.read(() => true)).toBe('failed')
    expect(kept.budget.held).toEqual(NOTHING)
  })
})

test('to dispose of a message in the midst of writing closes the file once', async () => {
  const { open, calls } = faultyFile({})
  const { spool, budget } = openSpool({ openFile: open, memoryLimit: 0 })
  spool.write(octets(500_000))
  await Promise.all([spool[Symbol.asyncDispose](), spool[Symbol.asyncDispose]()])
  await spool[Symbol.asyncDispose]()
  expect(calls.closed).toBe(1)
  expect(spool.write(octets(10))).toBe(true)
  expect(budget.held).toEqual(NOTHING)
})
