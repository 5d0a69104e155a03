// SPDX-License-Identifier: MIT
// The program of a worker process: it hosts a front end and does as its supervisor says.
import { loadConfig } from '@portico/config'
import { createFrontEnd, type FrontEnd, openLog, settingsOf, withPositions } from '@portico/frontend'
import { createSupervisorStore } from '@portico/state'
import { createMetrics } from '@portico/telemetry'
import { workerChannel } from './channel.js'
import { type Begin, isOurs, type Order, type Report } from './messages.js'
import { dropPrivileges } from './privileges.js'
import { selectProtocols } from './protocols.js'

const report = (message: Report): void => {
  process.send?.(message)
}

/** Who leaves, and when, is decided by the supervisor: a terminal's Ctrl-C reaches the workers too. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)

/**
 * What goes wrong with this process itself is its channel to the supervisor, when that has gone and the end of the channel has not
 * been seen yet: nobody is left to obey. The cluster module ends a worker in the same way as soon as it sees that end.
 */
process.on('error', () => process.exit(0))

let frontEnd: FrontEnd | undefined
const metrics = createMetrics()
let path = ''

process.on('message', (message) => {
  if (isOurs<Order>(message)) void obey(message)
})
report({ portico: 'here' })

async function obey(order: Order): Promise<void> {
  switch (order.portico) {
    case 'begin':
      return begin(order)
    case 'reload':
      return reload(order.text)
    case 'metrics':
      return report({ portico: 'counted', values: await metrics.values() })
    case 'drain':
      await frontEnd?.drain()
      return process.exit(0)
    case 'close':
      await frontEnd?.close()
      return process.exit(0)
  }
}

async function begin(order: Begin): Promise<void> {
  path = order.path
  try {
    const selection = selectProtocols(order.protocols)
    const loaded = loadConfig(path, { text: order.text })
    const settings = settingsOf(loaded, selection.protocols, selection.otherProtocols)
    frontEnd = await withPositions(loaded, () =>
      createFrontEnd({
        ...selection,
        config: loaded.config,
        directory: loaded.directory,
        log: openLog(settings),
        metrics,
        state: createSupervisorStore(workerChannel()),
        ticketKeys: Buffer.from(order.ticketKeys, 'base64'),
      }),
    )
    dropPrivileges(settings)
    report({ portico: 'ready', listeners: frontEnd.listeners })
  } catch (error) {
    report({ portico: 'failed', why: (error as Error).message })
  }
}

async function reload(text: string): Promise<void> {
  try {
    const loaded = loadConfig(path, { text })
    await withPositions(loaded, async () => frontEnd?.reload(loaded.config))
    report({ portico: 'reloaded', listeners: frontEnd?.listeners ?? [] })
  } catch (error) {
    report({ portico: 'refused', why: (error as Error).message })
  }
}
