// SPDX-License-Identifier: MIT
import { defineConfig } from 'vitest/config'
import quick from './vitest.config.js'

/** What takes minutes and is not part of the tests: each has a script that starts it. */
export default defineConfig({ ...quick, test: { ...quick.test, include: ['*/*.slow.ts'] } })
