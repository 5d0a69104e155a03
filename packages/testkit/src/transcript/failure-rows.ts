// SPDX-License-Identifier: MIT
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FailureReason } from '@portico/base'
import { describe, expect, test } from 'vitest'
import { parseTranscript, type Transcript } from './parse.js'

/** Where a protocol shows what it says to a failure, or why nobody can meet that failure there. */
export type FailureRow =
  /** `transcript`: a file of the folder. `says`: a part of a line that the client must be told there. */
  { readonly transcript: string; readonly says: string } | { readonly unreachable: string }

/** One row for each failure: a protocol has an answer to every one of them, so it has to show or to explain every one. */
export type FailureRows = Readonly<Record<FailureReason, FailureRow>>

/** Every failure there is; the compiler keeps it complete. */
const REASONS: Readonly<Record<FailureReason, true>> = {
  'invalid-credentials': true,
  'unauthorized-identity': true,
  'password-expired': true,
  'account-disabled': true,
  'protocol-disabled': true,
  'network-refused': true,
  'encryption-required': true,
  'not-authenticated': true,
  'mechanism-unavailable': true,
  malformed: true,
  aborted: true,
  'too-long': true,
  throttled: true,
  'lookup-unavailable': true,
  'backend-unavailable': true,
  'no-mailbox': true,
  draining: true,
  'server-bug': true,
}

/** Longer than "n/a": a reason is a sentence. */
const SHORTEST_REASON = 20

/**
 * Defines one test for each failure: its transcript exists and expects the line, or the row gives a reason why there is none.
 * That the conversation goes as written is for `runTranscripts` to see.
 */
export function testFailureRows(title: string, folder: URL | string, rows: FailureRows): void {
  const root = folder instanceof URL ? fileURLToPath(folder) : folder
  describe(title, () => {
    test('there is no row without a failure', () => {
      expect(Object.keys(rows).filter((reason) => !(reason in REASONS))).toEqual([])
    })
    for (const reason of Object.keys(REASONS) as FailureReason[]) {
      test(reason, () => expect(faultOf(root, rows[reason])).toBeUndefined())
    }
  })
}

/** What is wrong with a row; undefined when nothing is. */
export function faultOf(folder: string, row: FailureRow | undefined): string | undefined {
  if (row === undefined) return 'neither a transcript nor a reason'
  if ('unreachable' in row) {
    return row.unreachable.length < SHORTEST_REASON ? 'the reason is no sentence' : undefined
  }
  const path = join(folder, row.transcript)
  if (!existsSync(path)) return `there is no ${row.transcript}`
  const transcript = parseTranscript(row.transcript, readFileSync(path, 'utf8'))
  return row.says !== '' && tellsClient(transcript, row.says)
    ? undefined
    : `${row.transcript} does not tell the client ${row.says}`
}

function tellsClient({ steps }: Transcript, words: string): boolean {
  return steps.some((step) => step.kind === 'expect' && step.channel.side === 'client' && step.text.includes(words))
}
