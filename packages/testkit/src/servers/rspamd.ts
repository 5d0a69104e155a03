// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from './free-ports.js'
import { launch, privateFolder, type RunningServer } from './process.js'

export interface RspamdOptions {
  /** Further sections of its configuration. */
  readonly extra?: string
}

export interface Rspamd extends RunningServer {
  /** Its normal worker: `/checkv2`. */
  readonly port: number
}

/**
 * Starts an rspamd 3 on loopback that judges by what messages say of themselves: their score is in the header field `X-Test-Score`,
 * and from 4 on the action is `greylist`, from 6 `add header`, from 8 `rewrite subject`, from 15 `reject`; the field `X-Test-Later`
 * has the words of a `soft reject`. GTUBE is rejected as everywhere. It asks no name server.
 */
export async function startRspamd(options: RspamdOptions = {}): Promise<Rspamd> {
  const folder = privateFolder('rsp')
  const [port = 0] = await freePorts(1)
  // Its own list has 9 600 names, and preparing them takes ten seconds.
  writeFileSync(join(folder, 'suffixes'), 'lan\nexample\norg\n')
  writeFileSync(join(folder, 'rule.lua'), RULE)
  const file = join(folder, 'rspamd.conf')
  writeFileSync(file, configuration(folder, port, options.extra ?? ''))
  const server = await launch({
    command: '/usr/bin/rspamd',
    args: ['-f', '-i', '-c', file],
    folder,
    logFile: join(folder, 'rspamd.log'),
    ports: [port],
  })
  return { ...server, port }
}

const RULE = `
rspamd_config:register_symbol({
  name = 'TEST_SCORE',
  score = 1,
  callback = function(task)
    local said = tonumber(task:get_header('X-Test-Score'))
    if said then return said end
    return false
  end,
})
rspamd_config:register_symbol({
  name = 'TEST_LATER',
  type = 'prefilter',
  callback = function(task)
    local said = task:get_header('X-Test-Later')
    if said then task:set_pre_result('soft reject', said) end
  end,
})
`

function configuration(folder: string, port: number, extra: string): string {
  return `
options {
  pidfile = "${folder}/pid";
  control_socket = "${folder}/control mode=0600";
  hs_cache_dir = "${folder}";
  url_tld = "${folder}/suffixes";
  filters = "";
  dns { nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }
}
logging { type = "file"; filename = "${folder}/rspamd.log"; level = "info"; }
lua = "${folder}/rule.lua";
actions { greylist = 4; add_header = 6; rewrite_subject = 8; reject = 15; }
worker "normal" { bind_socket = "127.0.0.1:${port}"; count = 1; }
${extra}
`
}
