// SPDX-License-Identifier: MIT
import type { DatagramExchange } from '@portico/session'
import { answerTo, type Question, refusal } from './answer.js'
import { parseHead } from './parse.js'
import { parseDatagram, type WholeMessage } from './parse-datagram.js'
import { answeredPort } from './parse-via.js'
import { contentLength, type Request, requestOf } from './request.js'
import type { SipSettings } from './schema.js'
import { senderOf } from './sender.js'

/** Whoever wrote the sender's address into a datagram gets nobody more than so many times what was sent. */
const MOST_FACTOR = 2

/** Answers one datagram. Responses, and what no answer could be addressed to, are dropped. */
export async function serveDatagram(exchange: DatagramExchange, settings: SipSettings): Promise<void> {
  const message = parseDatagram(exchange.bytes)
  const sender = senderOf(settings, exchange.networks, undefined)
  if (message === undefined) return
  const head = parseHead(message.head.slice(0, settings.head))
  if (head.kind !== 'request' || !sender.admitted) return dropped(exchange, sender.admitted ? head.kind : 'stranger')
  const request = requestOf(head)
  const question: Question = { asking: exchange, listener: exchange.listener, transport: 'udp', sender, settings }
  const fault = faultOf(message, request, settings)
  const answer = fault === undefined ? await answerTo(request, question) : refusal(request, fault, question)
  if (answer === undefined || request.via === undefined) return
  if (answer.length > MOST_FACTOR * exchange.bytes.length) return dropped(exchange, 'answer-too-long')
  exchange.reply(Buffer.from(answer, 'latin1'), answeredPort(request.via, exchange.peer))
}

function faultOf(message: WholeMessage, request: Request, settings: SipSettings): string | undefined {
  if (message.head.length > settings.head || message.bodyLength > settings.body) return 'too-long'
  if (!message.complete) return 'Missing Empty Line'
  // What is there beyond the length is no part of the message (section 18.3).
  const length = contentLength(request.fields)
  return length !== undefined && length > message.bodyLength ? 'Content-Length Too Large' : undefined
}

function dropped({ services, id, listener, peer }: DatagramExchange, why: string): void {
  services.log.debug('datagram dropped', { session: id, why, listener: listener.name, client: peer.address })
}
