// SPDX-License-Identifier: MIT
// Portico in front of two Postfixes, each with a Dovecot behind it. Mail for most users goes to their Dovecot by LMTP, mail for the
// others and whatever users send to a Postfix.
import { startMailboxes, startMta } from './backends.mjs'
import { copiesIn } from './copies.mjs'
import { startPortico } from './portico.mjs'

const MAILBOXES = 16

/** See campaign.mjs for what a stage is; `stop` ends all. */
export async function startStage({ workers }) {
  const users = Array.from({ length: MAILBOXES }, (_, index) => `user${index + 1}`)
  const passwordOf = (user) => `${user}-secret`
  const passwords = Object.fromEntries(users.map((user) => [user, passwordOf(user)]))
  const dovecots = await Promise.all(['mbx1', 'mbx2'].map((name) => startMailboxes(name, passwords)))
  const mtas = await Promise.all(dovecots.map(({ ports }, index) => startMta(`mta${index + 1}`, ports.lmtp)))
  const at = (port) => ({ endpoints: [`127.0.0.1:${port}`] })
  const group = (index) => ({ identity: 'xclient', smtp: at(mtas[index].port) })
  const withLmtp = (index) => ({ ...group(index), lmtp: at(dovecots[index].ports.lmtp) })
  const backends = { lmtp1: withLmtp(0), lmtp2: withLmtp(1), mta1: group(0) }
  const portico = await startPortico({
    users,
    passwordOf,
    groupOf: (user) => Object.keys(backends)[users.indexOf(user) % 3],
    backends,
    workers,
  })
  const victims = { ...portico.victims }
  for (const [index, mta] of mtas.entries()) {
    victims[`MTA ${index + 1}`] = mta.kill
    victims[`process of MTA ${index + 1}`] = mta.killChild
  }
  for (const [index, dovecot] of dovecots.entries()) {
    victims[`mailboxes ${index + 1}`] = dovecot.kill
    victims[`process of mailboxes ${index + 1}`] = dovecot.killChild
  }
  return {
    ports: portico.ports,
    users,
    passwordOf,
    victims,
    isMta: (victim) => /MTA|mailboxes/.test(victim),
    log: portico.log,
    async settle() {
      await portico.whole()
      for (const mta of mtas) await mta.flush()
    },
    copies: async () => dovecots.flatMap(({ folder }) => [...copiesIn(folder, users)]),
    async stop() {
      await portico.stop()
      await Promise.all([...mtas, ...dovecots].map((server) => server.stop()))
    },
  }
}
