// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { testHandles } from '../src/handle-self-test.js'
import { type StreamBinding, streamBinding } from '../src/stream-handle.js'

const binding = streamBinding() as StreamBinding

test('handles that work have no fault', async () => {
  expect(await testHandles(binding)).toBeUndefined()
})

test.each([
  [
    'cannot be made',
    'missing',
    {
      ...binding,
      newTcp: (): never => {
        throw new Error('gone')
      },
    },
  ],
  ['tell of no octet that came', 'no-answer', { ...binding, readResult: 99 }],
])('handles that %s are not used', async (_how, fault, broken) => {
  expect(await testHandles(broken)).toBe(fault)
})
