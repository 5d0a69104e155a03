// SPDX-License-Identifier: MIT
import type { BodyDecoder } from '../codec/body.js'
import type { BodyTaker } from './client-exchange.js'
import type { Connection } from './connection.js'
import type { Incoming } from './incoming.js'

/** A whole request body, or why there is none. */
export type BodyRead = Buffer | 'too-long' | 'broken' | 'gone'

/** Reads a request body of at most `longest` octets into memory, in the time that a request head may take. */
export function readBody(connection: Connection, request: Incoming, longest: number): Promise<BodyRead> {
  const { client, session, prepared } = connection
  const decoder = client.decoderFor(request.body)
  return new Promise((resolve) => {
    const pieces: Buffer[] = []
    let length = 0
    const finish = (end: BodyRead): void => {
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
        if (length > longest) finish('too-long')
        else if (decoder.fault !== undefined) finish('broken')
        else {
          pieces.push(...contentOf(view, decoder))
          if (decoder.done) whole()
        }
        return taken
      },
      clientDrained() {},
      clientFinished: () => (decoder.done ? whole() : finish('gone')),
      clientGone: () => finish('gone'),
    }
    if (request.body.kind === 'length' && request.body.length > longest) finish('too-long')
    else if (decoder.done) whole()
    else {
      client.attach(taker)
      if (request.expectsContinue) client.goOn()
    }
  })
}

/** Copies of what belongs to the body: the view is another's when we return. */
function contentOf(view: Buffer, { spans }: Pick<BodyDecoder, 'spans'>): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < spans.length; at += 2) pieces.push(Buffer.from(view.subarray(spans[at], spans[at + 1])))
  return pieces
}
