// SPDX-License-Identifier: MIT
import { describe } from 'vitest'
import { endingTests } from './leg-ending.js'
import { limitTests } from './leg-limits.js'
import type { LegPair } from './leg-pair.js'
import { readingTests } from './leg-reading.js'
import { writingTests } from './leg-writing.js'

export type { LegPair } from './leg-pair.js'

/** What every kind of leg has to do, whatever lies below it. `makePair` opens a new connection for each test. */
export function legCompliance(name: string, makePair: () => Promise<LegPair>): void {
  describe(`leg: ${name}`, () => {
    readingTests(makePair)
    writingTests(makePair)
    endingTests(makePair)
    limitTests(makePair)
  })
}
