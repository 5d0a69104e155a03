// SPDX-License-Identifier: MIT
import type { ConfigProblem } from '@portico/config'
import type { Directory } from '../directory/schema.js'

/** What a directory for Outlook Anywhere must not have, although others may. */
export function channelProblems({ preset, preAuth, requestTimeout }: Directory): ConfigProblem[] {
  if (preset !== 'rpc') return []
  const problems: ConfigProblem[] = []
  if (requestTimeout !== undefined) {
    const expectation =
      'expected none: a channel of Outlook Anywhere is one request, and lasts until its ends replace it'
    problems.push({ path: ['requestTimeout'], expectation })
  }
  if (preAuth.length > 0) {
    problems.push({ path: ['preAuth'], expectation: 'expected none: nobody gets a channel without a sign-in' })
  }
  return problems
}
