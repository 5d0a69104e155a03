// SPDX-License-Identifier: MIT
// Many senders at a time that try again until every letter is taken, as an MTA would, while somebody is killed now and then.
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { attempt } from './attempt.mjs'
import { Connection } from './connection.mjs'
import { judge } from './judge.mjs'
import { Kills } from './kills.mjs'
import { hashOf, letterOf, textOf } from './letters.mjs'
import { pick, randomFrom } from './random.mjs'

/** A letter that is refused so often will never be taken. */
const MOST_ATTEMPTS = 300
const RETRY_MS = 250
/** Clients of several addresses: what one of them sees of a backend is not yet known of it. */
const ADDRESSES = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5']

/**
 * @param stage   `{ ports: { inbound, submission }, users, victims, isMta, settle(), copies() }`
 * @param options `{ seed, messages, atOnce, kills, until }`; `until`: no letter is begun after this time of `performance.now()`
 * @returns what `judge` says, with `attempts`, `kills` and `letters`
 */
export async function campaign(stage, { seed, messages, atOnce, kills: count, until = Number.POSITIVE_INFINITY }) {
  const kills = new Kills({ random: randomFrom(seed), victims: stage.victims, letters: messages, count })
  const attempts = []
  let next = 0
  const isOver = () => next >= messages || performance.now() > until || kills.failure !== undefined
  const senders = Array.from({ length: atOnce }, (_, index) => send(randomFrom(seed * 7_919 + index + 1)))
  await Promise.all(senders)
  await kills.settled()
  await stage.settle()
  const letter = (number) => letterOf(seed, number, stage.users)
  const verdict = judge({
    attempts,
    copies: await stage.copies(),
    kills: kills.done,
    hashOf: (number, attemptNumber) => hashOf(textOf(letter(number), attemptNumber)),
    wanted: (number) => letter(number).recipients,
    isMta: stage.isMta,
  })
  return { ...verdict, attempts: attempts.length, kills: kills.done, letters: next }

  /** One sender: some letters over one connection, then another connection. */
  async function send(random) {
    let held
    while (!isOver()) {
      const work = letterOf(seed, next++, stage.users)
      let left = work.recipients
      for (let number = 1; left.length > 0 && number <= MOST_ATTEMPTS && kills.failure === undefined; number++) {
        if (number > 1) await pause(RETRY_MS * random())
        held = await connected(work, held, random)
        if (held === undefined) break
        const reached = (step) => kills.reached(work.number, step)
        const record = await attempt({ connection: held, letter: work, number, recipients: left, random, reached })
        attempts.push(record)
        if (record.code === 250) left = left.filter((user) => !record.recipients.includes(user))
        else if ((await held.ask('RSET\r\n'))?.code !== 250) held.destroy()
        if (record.code >= 500) break
      }
      if (random() < 0.3) held?.destroy()
    }
    held?.destroy()
  }

  /** A connection that has said EHLO, and AUTH where it is the door of users; the held one if it will do. Undefined: it is over. */
  async function connected(work, held, random) {
    const key = work.sender ?? 'outside'
    if (held !== undefined && !held.over && held.key === key) return held
    held?.destroy()
    while (kills.failure === undefined) {
      const connection = await Connection.open(stage.ports[work.door], pick(random, ADDRESSES))
      if (connection !== undefined && (await greeted(connection, work))) return Object.assign(connection, { key })
      connection?.destroy()
      await pause(RETRY_MS * random())
    }
  }

  async function greeted(connection, { sender }) {
    if ((await connection.reply())?.code !== 220) return false
    const hello = await connection.ask('EHLO sender.example\r\n')
    if (hello?.code !== 250) return false
    connection.takesChunks = /^250[- ]CHUNKING\r?$/m.test(hello.text)
    if (sender === undefined) return true
    const plain = Buffer.from(`\0${sender}\0${stage.passwordOf(sender)}`).toString('base64')
    return (await connection.ask(`AUTH PLAIN ${plain}\r\n`))?.code === 235
  }
}
