// SPDX-License-Identifier: MIT
import { requireServer } from '@portico/testkit'
import { describe, expect, test } from 'vitest'

/**
 * One scenario: skipped, with the reason in its name, when a program it needs is missing or it needs root and is not; a failure
 * instead when PORTICO_REQUIRE_ALL=1.
 */
export function scenario(
  name: string,
  needs: { readonly programs: readonly string[]; readonly root?: boolean },
  define: () => void,
): void {
  const reason = requireServer(...needs.programs) ?? rootReason(needs.root ?? false)
  if (reason !== undefined) {
    describe.skip(`${name} (skipped: ${reason})`, define)
    return
  }
  describe(name, () => {
    test('on the Node that was asked for', () => {
      expect(process.version).toMatch(new RegExp(`^${process.env['PORTICO_EXPECT_NODE'] ?? 'v'}`))
    })
    define()
  })
}

function rootReason(needed: boolean): string | undefined {
  if (!needed || process.getuid?.() === 0) return undefined
  if (process.env['PORTICO_REQUIRE_ALL'] === '1') throw new Error('this scenario needs root')
  return 'needs root, to start the mail servers'
}

/** Until it holds; fails with the last error after `ms`. */
export async function eventually(check: () => void | Promise<void>, ms = 60_000): Promise<void> {
  const deadline = Date.now() + ms
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}
