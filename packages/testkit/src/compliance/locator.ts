// SPDX-License-Identifier: MIT
import { CancellationSource, type EmailAddress, NEVER, type Principal } from '@portico/base'
import type { Locator } from '@portico/routing'
import { describe, expect, test } from 'vitest'

/** A locator, somebody it knows and somebody it does not know. */
export interface LocatorUnderTest {
  readonly locator: Locator
  readonly known: Principal | EmailAddress
  readonly group: string
  readonly unknown: Principal | EmailAddress
}

/** Somebody who has signed in, for tests of routing. */
export function principalNamed(user: string, more: Partial<Principal> = {}): Principal {
  return {
    authcid: user,
    user,
    mechanism: 'PLAIN',
    strength: 'plain',
    proof: {},
    source: 'test',
    epoch: '1',
    fields: new Map(),
    ...more,
  }
}

/** What every {@link Locator} must keep. */
export function locatorCompliance(name: string, make: () => LocatorUnderTest): void {
  describe(`locator: ${name}`, () => {
    test('it finds whom it knows, in the right group, and says that it was the one', async () => {
      const { locator, known, group } = make()
      const answer = await locator.locate(known, NEVER)
      expect(answer).toMatchObject({ kind: 'found', location: { group, source: locator.name } })
    })

    test('whom it does not know is not found, never sent somewhere', async () => {
      const { locator, unknown } = make()
      expect(await locator.locate(unknown, NEVER)).toEqual({ kind: 'none' })
    })

    test('the same question has the same answer', async () => {
      const { locator, known } = make()
      expect(await locator.locate(known, NEVER)).toEqual(await locator.locate(known, NEVER))
    })

    test('a session that has gone still gets an answer, and leaves no listener behind', async () => {
      const { locator, known } = make()
      const signal = new CancellationSource()
      const asked = locator.locate(known, signal)
      signal.abort('closed')
      expect(['found', 'none', 'unavailable']).toContain((await asked).kind)
      const calm = new CancellationSource()
      await locator.locate(known, calm)
      expect(calm.onAbort).toBeUndefined()
    })
  })
}
