// SPDX-License-Identifier: MIT
import type { Locator } from '../locator.js'

/**
 * Asks locators in order. The first that finds the mailbox decides. One that is away ends the search as unavailable: another's
 * answer could be an old home, where mail would be lost.
 */
export function chainLocators(locators: readonly Locator[]): Locator {
  return {
    name: locators.map((locator) => locator.name).join(','),
    async locate(who, signal) {
      for (const locator of locators) {
        if (signal.aborted) return { kind: 'unavailable', cause: new Error(`cancelled: ${signal.reason}`) }
        const answer = await locator.locate(who, signal)
        if (answer.kind !== 'none') return answer
      }
      return { kind: 'none' }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(locators.map((locator) => locator[Symbol.asyncDispose]()))
    },
  }
}
