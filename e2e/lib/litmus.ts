// SPDX-License-Identifier: MIT
import { rmSync } from 'node:fs'
import { privateFolder } from '@portico/testkit'
import { run } from './clients.js'

/** The suites of litmus, WebDAV's own conformance tests. */
export type LitmusSuite = 'basic' | 'copymove' | 'props' | 'locks' | 'http'

export const LITMUS_SUITES: readonly LitmusSuite[] = ['basic', 'copymove', 'props', 'locks', 'http']

/** What each test came to: `suite name: pass`, or `FAIL` with the reason; warnings stand behind a pass. */
export async function litmus(url: string, user: string, suites = LITMUS_SUITES): Promise<readonly string[]> {
  // It leaves its debug log where it runs.
  const cwd = privateFolder('lit')
  const done = await run('litmus', ['-k', url, user, `${user}pw`], { cwd, env: { TESTS: suites.join(' ') } })
  rmSync(cwd, { recursive: true })
  return results(done.stdout)
}

function results(said: string): readonly string[] {
  const found: string[] = []
  let [suite, name, warnings] = ['', '', '']
  // While a test runs its name stands there; then it is written again behind a carriage return.
  for (const line of said.split(/[\r\n]+/)) {
    suite = /^-> running `(\w+)'/.exec(line)?.[1] ?? suite
    name = /^ *\d+\. (\w+)\.*/.exec(line)?.[1] ?? name
    warnings += /WARNING: .*/.exec(line)?.[0] ?? ''
    const [, result, why = ''] = /\.+ (pass|FAIL)(.*)$/.exec(line) ?? []
    if (result === undefined) continue
    found.push(`${suite} ${name}: ${result}${result === 'FAIL' ? why : ''}${warnings === '' ? '' : ` (${warnings})`}`)
    warnings = ''
  }
  return found
}
