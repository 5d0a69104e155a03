// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { type Fault, toyStage } from './toy-stage.js'

/** The harness is plain JavaScript. */
const part = (file: string) => import(new URL(`../${file}`, import.meta.url).href)
const { campaign } = await part('campaign.mjs')
const { judge } = await part('judge.mjs')
const { copyOf } = await part('copies.mjs')
const { hashOf, letterOf, textOf } = await part('letters.mjs')

interface Result {
  readonly failures: readonly string[]
  readonly duplicates: readonly { readonly kind: string; readonly text: string }[]
  readonly counts: Readonly<Record<string, number>>
}

async function run(fault: Fault): Promise<Result> {
  const stage = await toyStage(fault)
  try {
    return await campaign(stage, { seed: 9, messages: 70, atOnce: 20, kills: 10 })
  } finally {
    await stage.stop()
  }
}

describe('a front end in front of which the harness is put', () => {
  test('that keeps its word passes, with duplicates only where no reply came', async () => {
    const { failures, duplicates, counts } = await run('nothing')
    expect(failures).toEqual([])
    expect(counts).toMatchObject({ lost: 0, damaged: 0, unexplained: 0 })
    expect(counts['found']).toBe(counts['taken'])
    expect(counts['taken']).toBeGreaterThanOrEqual(70)
    expect(duplicates.length).toBeGreaterThan(0)
    expect(new Set(duplicates.map(({ kind }) => kind))).toEqual(new Set(['no-reply']))
  })

  test.each<[Fault, RegExp]>([
    ['promises-early', /^lost: letter \d+, attempt \d+, to (ann|ben): 250 /],
    ['delivers-what-was-cut', /^uncalled: \d+\/1 to (ann|ben): it was cut before its end/],
    ['delivers-twice', /^unexplained: \d+0\/\d+ to (ann|ben): 2 times/],
    ['changes-a-dot', /^damaged: /],
    ['refuses-for-good', /^unfinished: letter \d+ to (ann|ben): 554 /],
  ])('that %s is found out', async (fault, failure) => {
    const { failures } = await run(fault)
    expect(failures).toContainEqual(expect.stringMatching(failure))
  })
})

describe('the judgement', () => {
  const record = { letter: 1, number: 1, recipients: ['ann'], refused: new Map(), endAt: 10_000, overAt: 10_100 }
  const copy = { letter: 1, attempt: 1, user: 'ann', hash: 'h', queueId: undefined }
  const again = { ...record, number: 2, endAt: 20_000, overAt: 20_100, code: 250, text: '250 ok' }
  const copyAgain = { ...copy, attempt: 2 }
  const look = (attempts: unknown[], copies: unknown[], kills: unknown[] = []): Result =>
    judge({
      attempts,
      copies,
      kills,
      hashOf: () => 'h',
      wanted: () => ['ann'],
      isMta: (victim: string) => victim === 'MTA',
    })

  test.each([
    ['no reply, and a kill then', undefined, [{ at: 10_050, victim: 'worker' }], 'no-reply'],
    ['451 after the end, and a kill then', 451, [{ at: 10_050, victim: 'MTA' }], 'reply-lost-behind'],
  ])('%s explains one more copy', (_label, code, kills, kind) => {
    const { failures, duplicates } = look([{ ...record, code, text: 'x' }, again], [copy, copyAgain], kills)
    expect(failures).toEqual([])
    expect(duplicates).toMatchObject([{ kind }])
  })

  test.each([
    ['nobody was killed then', undefined, [{ at: 15_000, victim: 'worker' }]],
    ['it was refused for good', 554, [{ at: 10_050, victim: 'worker' }]],
  ])('one more copy is not explained where %s', (_label, code, kills) => {
    const { failures } = look([{ ...record, code, text: 'x' }, again], [copy, copyAgain], kills)
    expect(failures).toEqual([expect.stringMatching(/^unexplained: 1\/1 to ann/)])
  })

  test('the same attempt twice: from one queue file once an MTA was killed, and not otherwise', () => {
    const queued = { ...copyAgain, queueId: 'AB12' }
    const killed = [{ at: 1, victim: 'MTA' }]
    expect(look([again], [queued, queued], killed)).toMatchObject({
      failures: [],
      duplicates: [{ kind: 'behind-the-mta' }],
    })
    expect(look([again], [queued, queued]).failures).toHaveLength(1)
    expect(look([again], [queued, { ...queued, queueId: 'CD34' }], killed).failures).toHaveLength(1)
    expect(look([again], [copyAgain, copyAgain], killed).failures).toHaveLength(1)
  })
})

test('a copy is known by its first field, whatever was put before it and however its lines end', () => {
  const text: Buffer = textOf(letterOf(7, 3, ['ann']), 2)
  const trace = 'Return-Path: <x@y>\r\nReceived: from a by mta.test.lan (Postfix) with ESMTP\r\n\tid 4F2A; Tue\r\n'
  const stored = (trace + text.toString('latin1')).replaceAll('\r\n', '\n')
  expect(copyOf(stored)).toEqual({ letter: 3, attempt: 2, hash: hashOf(text), queueId: '4F2A' })
  expect(copyOf(stored.replace(/[a-z0-9]\n$/, '!\n')).hash).not.toBe(hashOf(text))
})
