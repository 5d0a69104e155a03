// SPDX-License-Identifier: MIT
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from './free-ports.js'
import { launch, privateFolder, type RunningServer } from './process.js'

export interface SpamassMilterOptions {
  /** It refuses mail with a score from here on; marks only when absent. */
  readonly rejectFrom?: number
  /** Further arguments of spamass-milter. */
  readonly args?: readonly string[]
}

export interface SpamassMilter extends RunningServer {
  /** It speaks the milter protocol there. */
  readonly port: number
  /** What judges for it. */
  readonly spamd: RunningServer
}

/** What its rules are run by, and nothing that asks the network. */
const PLUGINS = 'loadplugin Mail::SpamAssassin::Plugin::Check\n'
/** A rule by which messages say themselves that they are spam, beside those of the package. */
const RULES = `
required_score 5
use_bayes 0
skip_rbl_checks 1
header TEST_SCORE X-Test-Spam =~ /yes/
describe TEST_SCORE Says so itself
score TEST_SCORE 6
`

/** Starts SpamAssassin's daemon on loopback with a milter in front of it. It judges by GTUBE and by `X-Test-Spam: yes`, and asks no network. */
export async function startSpamassMilter(options: SpamassMilterOptions = {}): Promise<SpamassMilter> {
  const folder = privateFolder('spa')
  const [port = 0, spamdPort = 0] = await freePorts(2)
  mkdirSync(join(folder, 'site'))
  writeFileSync(join(folder, 'site', 'local.pre'), PLUGINS)
  writeFileSync(join(folder, 'site', 'local.cf'), RULES)
  const site = [`--siteconfigpath=${join(folder, 'site')}`, `--helper-home-dir=${folder}`]
  const spamd = await launch({
    command: '/usr/sbin/spamd',
    args: [
      ...['-L', '-x', '--min-children', '1', '--max-children', '2', '-i', '127.0.0.1', '-p', String(spamdPort)],
      ...['-u', 'nobody', `--syslog=${join(folder, 'spamd.log')}`, ...site],
    ],
    folder,
    logFile: join(folder, 'spamd.log'),
    ports: [spamdPort],
  })
  const { rejectFrom, args = [] } = options
  const milter = await launch({
    command: '/usr/sbin/spamass-milter',
    args: [
      ...['-p', `inet:${port}@127.0.0.1`, ...(rejectFrom === undefined ? [] : ['-r', String(rejectFrom)]), ...args],
      ...['--', '-d', '127.0.0.1', '-p', String(spamdPort)],
    ],
    folder,
    logFile: join(folder, 'milter.log'),
    ports: [port],
    // Asked politely it waits for seconds.
    stopSignal: 'SIGKILL',
  })
  return {
    ...milter,
    port,
    spamd,
    stop: async () => {
      await milter.stop()
      await spamd.stop()
    },
  }
}
