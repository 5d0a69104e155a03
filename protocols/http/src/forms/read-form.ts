// SPDX-License-Identifier: MIT
import type { BodyTaker } from '../client/client-exchange.js'
import type { Connection } from '../client/connection.js'
import type { Incoming } from '../client/incoming.js'

/** Octets of a form; a name, a password, a destination and their escapes are far below it. */
const LONGEST_FORM = 16 * 1024

/** What a client has filled in, or why it is not known. */
export type FormRead = URLSearchParams | 'not-a-form' | 'too-long' | 'broken' | 'gone'

/** Reads a form (WHATWG URL standard, `application/x-www-form-urlencoded`) in the time that a request head may take. */
export async function readForm(
  connection: Connection,
  request: Incoming,
  contentType: string | undefined,
): Promise<FormRead> {
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(contentType ?? '')) return 'not-a-form'
  if (request.body.kind === 'length' && request.body.length > LONGEST_FORM) return 'too-long'
  const body = await readBody(connection, request)
  return typeof body === 'string' ? body : new URLSearchParams(body.toString())
}

function readBody(connection: Connection, request: Incoming): Promise<Buffer | 'too-long' | 'broken' | 'gone'> {
  const { client, session, prepared } = connection
  const decoder = client.decoderFor(request.body)
  return new Promise((resolve) => {
    const pieces: Buffer[] = []
    let length = 0
    const finish = (end: Buffer | 'too-long' | 'broken' | 'gone'): void => {
      timer.cancel()
      client.detach()
      resolve(end)
    }
    const whole = (): void => finish(Buffer.concat(pieces))
    const timer = session.services.wheel.add(prepared.settings.headerTimeout, () => finish('broken'))
    const taker: BodyTaker = {
      get wantsBody() {
        return !decoder.done
      },
      takeBody(view) {
        const taken = decoder.push(view)
        length += decoder.size
        if (length > LONGEST_FORM) finish('too-long')
        else if (decoder.fault !== undefined) finish('broken')
        else {
          const { spans } = decoder
          for (let at = 0; at < spans.length; at += 2) pieces.push(Buffer.from(view.subarray(spans[at], spans[at + 1])))
          if (decoder.done) whole()
        }
        return taken
      },
      clientDrained() {},
      clientFinished: () => (decoder.done ? whole() : finish('gone')),
      clientGone: () => finish('gone'),
    }
    if (decoder.done) whole()
    else client.attach(taker)
  })
}
