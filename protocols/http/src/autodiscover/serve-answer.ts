// SPDX-License-Identifier: MIT
import type { Connection } from '../client/connection.js'
import type { Incoming } from '../client/incoming.js'
import { readBody } from '../client/read-body.js'
import type { Placed } from '../directory/directories.js'
import { type Outcome, reply } from '../outcome.js'
import { failureReply, statusReply } from '../replies.js'
import { admitStranger } from '../serve-stranger.js'
import { type Identified, signIn } from '../sign-in/sign-in.js'
import type { Answer } from './answer.js'
import { answerAt } from './find-answer.js'

/** Octets of a question; those of real clients are some hundreds. */
const LONGEST_QUESTION = 32 * 1024

/** The walk of a request that Portico answers itself: sign-in, question, answer. */
export async function serveAnswer(connection: Connection, request: Incoming, placed: Placed): Promise<Outcome> {
  const answer = answerAt(placed)
  if (answer === undefined) return reply(statusReply(404))
  const { methods } = answer
  if (!methods.includes(request.head.method)) return reply(statusReply(405, `Allow: ${methods.join(', ')}\r\n`))
  if (!answer.signIn) {
    return (await admitStranger(connection, request)) ?? answered(connection, request, placed, answer, undefined)
  }
  const signedIn = await signIn(connection, request, placed)
  if (signedIn.kind !== 'authenticated') return signedIn
  // No backend is asked, so that nobody says whether a deferred password was right.
  await signedIn.settle('unknown')
  return answered(connection, request, placed, answer, signedIn)
}

async function answered(
  connection: Connection,
  request: Incoming,
  { directory, rest }: Placed,
  answer: Answer,
  signedIn: Identified | undefined,
): Promise<Outcome> {
  const longest = Math.min(directory.maxBody, LONGEST_QUESTION)
  const body = await readBody(connection, request, longest)
  if (body === 'gone') return { kind: 'gone' }
  if (body === 'too-long') return reply(failureReply('too-long'), false)
  if (body === 'broken') return reply(statusReply(400), false)
  const told = await answer.answer({ connection, request, directory, rest, signedIn, body })
  const fields = `${told.fields}Cache-Control: no-store\r\n${signedIn?.fields ?? ''}`
  return reply({ ...told, fields })
}
