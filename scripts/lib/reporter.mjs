// SPDX-License-Identifier: MIT
// A reporter of vitest: writes what became of each test to the file that PORTICO_TEST_REPORT names. Its own JSON reporter gives
// stacks without their messages where a test timed out, and no errors from outside of tests.
import { writeFileSync } from 'node:fs'

export default class Reporter {
  onTestRunEnd(modules, unhandled) {
    const outside = unhandled.map((error) => ({ path: error.VITEST_TEST_PATH, text: textOf(error) }))
    writeFileSync(process.env.PORTICO_TEST_REPORT, JSON.stringify({ files: modules.map(fileOf), outside }))
  }
}

function fileOf(module) {
  const suites = [...module.children.allSuites()].flatMap((suite) => suite.errors())
  return {
    path: module.moduleId,
    errors: [...module.errors(), ...suites].map(textOf),
    tests: [...module.children.allTests()].map((test) => {
      const { state, errors } = test.result()
      return { name: test.fullName, state, error: errors?.map(textOf)[0] }
    }),
  }
}

/** The message, and where it happened. */
function textOf({ name = 'Error', message, stack, stacks }) {
  const [place] = stacks ?? []
  const at = place === undefined ? /^ +at .*$/m.exec(stack ?? '')?.[0].trim() : `at ${place.file}:${place.line}`
  return [`${name}: ${message}`, ...(at === undefined ? [] : [at])].join('\n')
}
