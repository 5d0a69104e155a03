// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { httpProblems } from '../src/check.js'
import { httpSchema } from '../src/schema.js'

test('a directory goes to a group that exists', () => {
  const directories = [{ mount: '/dav', group: 'one' }, { mount: '/web' }, { mount: '/old', group: 'gone' }]
  const settings = httpSchema.parse({ directories })
  const [problem, ...others] = httpProblems(settings, { listeners: [], backendGroups: ['one', 'two'] })
  expect(others).toEqual([])
  expect(problem?.expectation).toBe('expected one of the groups one, two')
  const at = settings.directories.findIndex(({ group }) => group === 'gone')
  expect(problem?.path).toEqual(['http', 'directories', at, 'group'])
})
