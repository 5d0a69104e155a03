// SPDX-License-Identifier: MIT
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type DnsFaults, startDnsFront } from './dns-front.js'
import { freePorts } from './free-ports.js'
import { launch, privateFolder } from './process.js'
import { programPath } from './require-server.js'

/** What a scenario with {@link startDnsZone} has to find on the machine. */
export const DNS_PROGRAMS = ['knotd', 'knotc'] as const

export interface DnsZoneOptions extends DnsFaults {
  /** The zone that it knows all of, `test.lan` perhaps; it refuses questions about others. `.` when absent: the whole world is in `records`. */
  readonly zone?: string
  /** Lines of a zone file (RFC 1035 section 5.1), such as `mx A 127.0.0.1`: names without a dot behind are below the zone. */
  readonly records: readonly string[]
}

/** A name server that runs for a test. */
export interface DnsZone extends AsyncDisposable {
  /** Of 127.0.0.1, by UDP and by TCP. */
  readonly port: number
  /** `127.0.0.1:port`, as `smtp.dns.servers` has it. */
  readonly server: string
  /** Every question so far, such as `TXT example.org`, in lower case and without the dot behind. */
  questions(): readonly string[]
  /** Other records instead of those that it had; they hold when the promise is kept. */
  set(records: readonly string[]): Promise<void>
  /** Other faults instead of those that it had. */
  fail(faults: DnsFaults): void
  stop(): Promise<void>
}

/** Starts a Knot DNS with one zone on loopback, with a front before it that can fail names. */
export async function startDnsZone(options: DnsZoneOptions): Promise<DnsZone> {
  const folder = privateFolder('dns')
  const [port = 0, behind = 0] = await freePorts(2)
  const [zoneFile, configFile] = [join(folder, 'zone'), join(folder, 'knot.conf')]
  const zone = options.zone ?? '.'
  let serial = 1
  writeFileSync(configFile, configuration(folder, behind, zone, zoneFile))
  writeFileSync(zoneFile, zoneText(zone, serial, options.records))
  const knot = await launch({
    command: programPath('knotd'),
    args: ['-c', configFile],
    folder,
    logFile: join(folder, 'knot.log'),
    ports: [behind],
  })
  await knot.logged(/loaded, serial/)
  const front = await startDnsFront(port, behind, options)
  const stop = async (): Promise<void> => {
    await Promise.all([front.close(), knot.stop()])
  }
  return {
    port,
    server: `127.0.0.1:${port}`,
    questions: () => front.asked,
    async set(records) {
      serial += 1
      writeFileSync(zoneFile, zoneText(zone, serial, records))
      await promisify(execFile)(programPath('knotc'), ['-c', configFile, '-b', 'zone-reload'])
    },
    fail(faults) {
      front.faults = faults
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function zoneText(zone: string, serial: number, records: readonly string[]): string {
  const origin = zone.endsWith('.') ? zone : `${zone}.`
  const head = [`$ORIGIN ${origin}`, '$TTL 1', `@ SOA ns hostmaster ${serial} 60 60 60 1`, '@ NS ns', 'ns A 127.0.0.1']
  return `${[...head, ...records].join('\n')}\n`
}

/** It keeps nothing but its zone file, which a reload reads whole. */
function configuration(folder: string, port: number, zone: string, zoneFile: string): string {
  return `
server:
    rundir: "${folder}"
    listen: 127.0.0.1@${port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
control:
    listen: "${folder}/control"
database:
    storage: "${folder}/db"
log:
  - target: "${folder}/knot.log"
    any: info
zone:
  - domain: "${zone}"
    file: "${zoneFile}"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
`
}
