// SPDX-License-Identifier: MIT
import { Secret } from '@portico/base'
import { expect, test } from 'vitest'
import { captureLog, linesShowing } from '../src/index.js'

test('a typed secret does not show; a bare one is found, also in an error deep inside', () => {
  const log = captureLog()
  log.info('signed in', { password: new Secret('hunter2') })
  expect(linesShowing(['hunter2'], log.lines)).toEqual([])
  log.child({ session: 'x' }).warn('trouble', { error: new Error('outer', { cause: new Error('tried hunter2') }) })
  expect(linesShowing(['hunter2'], log.lines)).toHaveLength(1)
})

test.each(['a', 'ab', 'abc', '\0alice\0', '\0al\0'])('base64 after %j is found', (before) => {
  const encoded = Buffer.from(`${before}secret!`).toString('base64')
  expect(linesShowing(['secret'], [`AUTH ${encoded}`])).toHaveLength(1)
  expect(linesShowing(['secreT'], [`AUTH ${encoded}`])).toHaveLength(0)
})
