// SPDX-License-Identifier: MIT
// The front end that is measured: as built, in a process of its own, every limit at its default unless told
// otherwise. Says what it holds when asked.
import { createFrontEnd } from '../../packages/frontend/dist/index.js'
import { http } from '../../protocols/http/dist/index.js'
import { imap4 } from '../../protocols/imap4/dist/index.js'
import { pop3 } from '../../protocols/pop3/dist/index.js'
import { smtp } from '../../protocols/smtp/dist/index.js'

const [certificate, key, users, limits] = process.argv.slice(2)
const listen = (protocol, tls) => ({
  protocol,
  name: `${protocol} ${tls}`,
  address: '127.0.0.1:0',
  tls,
  plaintextPasswords: 'always',
  ...(protocol === 'smtp' ? { connector: 'client' } : {}),
})
const protocols = [imap4, pop3, smtp, http]
const frontEnd = await createFrontEnd({
  protocols,
  config: {
    version: 1,
    hostname: 'portico.test.lan',
    tls: [{ names: ['localhost'], certificate, key }],
    listeners: [
      ...protocols.flatMap(({ name }) => [listen(name, 'none'), listen(name, 'implicit')]),
      { ...listen('smtp', 'none'), name: 'smtp inbound', connector: 'inbound' },
    ],
    credentials: [{ type: 'users-file', path: users }],
    location: [{ type: 'users-file' }],
    limits: JSON.parse(limits),
    // Nobody signs in: what a backend would do is not measured.
    backends: { mbx: Object.fromEntries(protocols.map(({ name }) => [name, { endpoints: [endpointOf(name)] }])) },
  },
})

function endpointOf(name) {
  return name === 'http' ? 'http://127.0.0.1:9' : '127.0.0.1:9'
}

/** What the process holds when everything unused has been collected. */
async function footprint() {
  for (let round = 0; round < 4; round++) {
    globalThis.gc()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rss, heapUsed, external, sessions: frontEnd.sessions }
}

process.on('message', async (word) => {
  if (word === 'footprint') process.send(await footprint())
  if (word === 'rss') process.send({ rss: process.memoryUsage().rss, sessions: frontEnd.sessions })
})
process.on('disconnect', () => process.exit(0))
process.send({ ports: Object.fromEntries(frontEnd.listeners.map(({ name, port }) => [name, port])) })
