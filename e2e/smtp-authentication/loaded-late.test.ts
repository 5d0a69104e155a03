// SPDX-License-Identifier: MIT
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { privateFolder } from '@portico/testkit'
import { expect, test } from 'vitest'
import { type ListenerEntry, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'

/** Says in a file of each process whether it has loaded the library that evaluates SPF policies, whenever that changes. */
const WATCHER = `
import { createRequire } from 'node:module'
import { writeFileSync } from 'node:fs'
const { cache } = createRequire(import.meta.url)
const say = () => writeFileSync(process.env.WATCHED + '/' + process.pid, Object.keys(cache).some((path) => path.includes('/mailauth/')) ? 'loaded' : 'not loaded')
say()
setInterval(say, 50).unref()
process.on('exit', say)
`

const POP3: ListenerEntry = { protocol: 'pop3', tls: 'starttls' }
const SMTP: ListenerEntry = { protocol: 'smtp', tls: 'starttls', connector: 'inbound' }

/** What the workers of a site have loaded, whom one client has come to and said nothing. */
async function loadedBy(
  listeners: Readonly<Record<string, ListenerEntry>>,
  agents: readonly object[],
  expected: readonly string[],
): Promise<readonly string[]> {
  const folder = privateFolder('lte')
  const watcher = join(folder, 'watcher.mjs')
  writeFileSync(watcher, WATCHER)
  const portico = await startPortico({
    listeners,
    users: ['alice:{PLAIN}alicepw::::::group=mbx1'],
    backends: { mbx1: { pop3: { endpoints: ['127.0.0.1:1'] }, smtp: { endpoints: ['127.0.0.1:1'] } } },
    more: { smtp: { connectors: { inbound: { domains: ['test.lan'] } }, agents } },
    env: { NODE_OPTIONS: `--import ${pathToFileURL(watcher)}`, WATCHED: folder },
  })
  const said = (): readonly string[] => {
    const files = portico.workers.map((pid) => join(folder, String(pid))).filter((file) => existsSync(file))
    return [...new Set(files.map((file) => readFileSync(file, 'utf8')))]
  }
  try {
    await eventually(() => expect(said()).toEqual(expect.arrayContaining([...expected])))
  } finally {
    await portico.stop()
  }
  return said()
}

scenario('What evaluates SPF policies is loaded where an agent needs it only', { programs: [] }, () => {
  test.each([
    ['POP3, beside agents of an SMTP that nobody listens for', { pop3: POP3 }, [{ type: 'spf' }, { type: 'dmarc' }]],
    ['SMTP with signatures only', { smtp: SMTP }, [{ type: 'dkim' }, { type: 'arc' }]],
  ] as const)('%s: to the end not', async (_label, listeners, agents) => {
    expect(await loadedBy(listeners, agents, ['not loaded'])).toEqual(['not loaded'])
  })

  test.each(['spf', 'dmarc'])('SMTP with %s: when the first client comes, before it says anything', async (type) => {
    expect(await loadedBy({ smtp: SMTP }, [{ type }], ['loaded'])).toContain('loaded')
  })
})
