// SPDX-License-Identifier: MIT
import { type Clock, WatchedFile } from '@portico/base'
import type { Log } from '@portico/telemetry'
import { say } from '../replies.js'
import { AddressList } from './address-list.js'
import { type Agent, type Opinion, PASS } from './agent.js'
import type { IpListSettings } from './agents-schema.js'
import { NetworkList, parseNetworkList } from './network-list.js'

/** What an agent may use that reads files. */
export interface ListFiles {
  readonly clock: Clock
  readonly log: Log
  /** Where a file is that the configuration names. */
  pathOf(path: string): string
}

const AT_RCPT: Opinion = { kind: 'refuse', reply: say(550, '5.7.1', 'Client address is blocked') }
/** Instead of a greeting (RFC 5321 section 3.1). */
const AT_CONNECT: Opinion = { kind: 'refuse', reply: say(554, '5.7.1', 'Client address is blocked'), close: true }
const EXEMPT: Opinion = { kind: 'exempt' }

/** Clients by their address: some are asked nothing more, some are refused. Throws when a file cannot be read. */
export function ipList(settings: IpListSettings, files: ListFiles): Agent {
  const allowFile = openList(settings.allowFile, files)
  const blockFile = openList(settings.blockFile, files)
  const block = new NetworkList(
    settings.block.map(({ network, until }) => (until === undefined ? { network } : { network, until })),
  )
  const excepted = new AddressList(settings.exceptRecipients)
  const listed = (address: string, list: { holds(address: string, now: number): boolean } | undefined): boolean =>
    list?.holds(address, files.clock.wallNow()) === true
  return {
    name: 'ip-list',
    antiSpam: true,
    deadline: undefined,
    whenAway: 'pass',
    audit: settings.audit,
    open(session) {
      let blocked = false
      return {
        connect() {
          const { address } = session.peer
          if (settings.allow.contains(address) || listed(address, allowFile?.current)) return EXEMPT
          if (!listed(address, block) && !listed(address, blockFile?.current)) return PASS
          if (settings.when === 'connect') return AT_CONNECT
          blocked = true
          return PASS
        },
        rcpt: ({ recipient }) => (blocked && !excepted.holds(recipient) ? AT_RCPT : PASS),
      }
    },
  }
}

function openList(name: string | undefined, { clock, log, pathOf }: ListFiles): WatchedFile<NetworkList> | undefined {
  if (name === undefined) return undefined
  const path = pathOf(name)
  return new WatchedFile({
    path,
    clock,
    parse: (text) => new NetworkList(parseNetworkList(text)),
    changed: () => log.info('address list read again', { path }),
    failed: (cause) => log.error('address list cannot be read, the former one stays', { path, cause }),
  })
}
