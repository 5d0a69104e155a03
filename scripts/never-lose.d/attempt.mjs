// SPDX-License-Identifier: MIT
// One attempt to send a letter, and all that is known of it afterwards.
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { textOf } from './letters.mjs'

/** Where an attempt can be when somebody is killed. `verdict`: it is over. */
export const STEPS = ['mail', 'rcpt', 'data', 'half', 'end', 'verdict']

const CUT_AFTER_MS = 20

/**
 * Sends a letter to those of its recipients who do not have it yet. `reached(step)` is called at each step and waited for.
 *
 * The record: `recipients` were accepted, `endAt` is when the end of the message was about to be written (undefined: it never
 * was), `code` and `text` are of the last reply (undefined: none came), `refused` are the recipients with their replies.
 */
export async function attempt({ connection, letter, number, recipients, random, reached }) {
  const how = letter.how === 'bdat' && connection.takesChunks ? 'bdat' : 'data'
  const record = { letter: letter.number, number, how, recipients: [], refused: new Map() }
  record.beganAt = performance.now()
  const last = await deliver()
  record.overAt = performance.now()
  record.code = last?.code
  record.text = last?.text
  await reached('verdict')
  return record

  async function deliver() {
    const text = textOf(letter, number)
    const mail = `MAIL FROM:<${letter.sender ?? 'outside'}@test.lan> BODY=8BITMIME SIZE=${text.length}\r\n`
    const rcpts = recipients.map((user) => `RCPT TO:<${user}@test.lan>\r\n`)
    const begun = letter.pipelined ? await together([mail, ...rcpts]) : await inTurn([mail, ...rcpts])
    await reached('rcpt')
    if (begun.length <= rcpts.length) return undefined
    const [sender, ...answers] = begun
    if (sender.code !== 250) return sender
    recipients.forEach((user, at) => {
      if (answers[at].code === 250) record.recipients.push(user)
      else record.refused.set(user, answers[at])
    })
    if (record.recipients.length === 0) return answers[0]
    return how === 'bdat' ? inChunks(text) : asData(text)
  }

  async function together(commands) {
    connection.write(commands.join(''))
    await reached('mail')
    return repliesTo(commands)
  }

  async function inTurn(commands) {
    const replies = []
    for (const command of commands) {
      connection.write(command)
      if (replies.length === 0) await reached('mail')
      replies.push(...(await repliesTo([command])))
    }
    return replies
  }

  async function repliesTo(commands) {
    const replies = []
    for (const _ of commands) {
      const reply = await connection.reply()
      if (reply === undefined) break
      replies.push(reply)
    }
    return replies
  }

  async function asData(text) {
    const answer = await connection.ask('DATA\r\n')
    if (answer?.code !== 354) return answer
    await reached('data')
    const stuffed = Buffer.from(text.toString('latin1').replace(/^\./gm, '..'), 'latin1')
    // Who leaves in the middle does so in the middle: so much must have been there to be delivered by mistake.
    const middle = Math.floor(stuffed.length * (letter.cut ? 0.5 : random()))
    connection.write(stuffed.subarray(0, middle))
    await reached('half')
    if (await isCut()) return undefined
    return end(Buffer.concat([stuffed.subarray(middle), Buffer.from('.\r\n')]))
  }

  /** RFC 3030: in one to four chunks, written without waiting for replies. */
  async function inChunks(text) {
    const chunks = cutUp(text)
    await reached('data')
    for (const chunk of chunks.slice(0, -1))
      connection.write(Buffer.concat([Buffer.from(`BDAT ${chunk.length}\r\n`), chunk]))
    await reached('half')
    if (await isCut()) return undefined
    const [last] = chunks.slice(-1)
    return end(Buffer.concat([Buffer.from(`BDAT ${last.length} LAST\r\n`), last]), chunks.length)
  }

  function cutUp(text) {
    const places = Array.from({ length: Math.floor(random() * 4) }, () => Math.floor(random() * text.length))
    const ends = [...new Set([...places, text.length])].sort((a, b) => a - b)
    return ends.map((end, at) => text.subarray(at === 0 ? 0 : ends[at - 1], end))
  }

  async function end(octets, replies = 1) {
    if (connection.over) return undefined
    record.endAt = performance.now()
    connection.write(octets)
    await reached('end')
    const answers = await repliesTo(Array.from({ length: replies }))
    if (answers.length < replies) return undefined
    // Once a chunk is refused the next ones are out of place (RFC 3030 section 2): the first refusal says why.
    return answers.find(({ code }) => code >= 400) ?? answers.at(-1)
  }

  /** What was written before has to be on its way, or nobody is in the middle of anything. */
  async function isCut() {
    if (!letter.cut || number !== 1) return false
    await pause(CUT_AFTER_MS)
    connection.destroy()
    return true
  }
}
