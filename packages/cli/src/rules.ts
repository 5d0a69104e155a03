// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname, resolve } from 'node:path'
import { networksOf } from '@portico/base'
import { type SmtpSettings, tryRules } from '@portico/smtp'
import { reportOf, reportText } from './rule-report.js'
import { checkFile } from './serve.js'

/** A message, whom it is from and for, and what else rules look at. */
export interface RulesTest {
  readonly config: string
  readonly from: string
  readonly to: readonly string[]
  readonly client?: string
  readonly user?: string
  readonly scl?: number
  /** What agents before them would have found it to be. */
  readonly type?: readonly string[]
  readonly json?: boolean
}

/** Somebody out there (RFC 5737). */
const STRANGER = '192.0.2.1'
/** For a message that its recipients do not get. */
const KEPT_BACK = 2

/** `portico rules test`: what the rules of a configuration make of a message, and why. Nothing is sent anywhere. `-`: standard input. */
export async function testRules(
  file: string,
  test: RulesTest,
): Promise<{ readonly text: string; readonly code: number }> {
  const { client = STRANGER, user, scl, type = [] } = test
  if (isIP(client) === 0) throw new Error(`not the address of a client: ${client}`)
  const { settings } = await checkFile(test.config)
  const smtp = settings.protocols.get('smtp') as SmtpSettings
  const tried = await tryRules(
    smtp,
    {
      message: readFileSync(file === '-' ? 0 : file),
      from: test.from,
      to: test.to,
      client,
      networks: networksWith(settings.networks, client),
      types: type,
      ...(user === undefined ? {} : { user }),
      ...(scl === undefined ? {} : { scl }),
    },
    (path) => resolve(dirname(test.config), path),
  )
  const reports = tried.map(reportOf)
  return {
    text: test.json === true ? `${JSON.stringify(reports, undefined, 2)}\n` : reportText(reports),
    code: reports.every(({ outcome }) => outcome.kind === 'go') ? 0 : KEPT_BACK,
  }
}

function networksWith(networks: Readonly<Record<string, readonly string[]>>, client: string): readonly string[] {
  return Object.keys(networks).filter((name) => networksOf(networks[name] ?? []).contains(client))
}
