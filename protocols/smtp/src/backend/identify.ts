// SPDX-License-Identifier: MIT
import { attributeCommands, type ClientFacts } from './client-facts.js'
import { attributesOf, type SmtpGreeting } from './greeting.js'
import { xclientAttributes } from './xclient.js'
import { xforwardCommands } from './xforward.js'

/** Who the client is, as the backend shall see it. */
export interface Identity {
  readonly client: ClientFacts
  /** A user whom the backend is told by XCLIENT. */
  readonly login: string | undefined
  readonly signedIn: boolean
}

/** How a connection is told who its client is. */
export type Identification =
  | {
      readonly kind: 'possible'
      /** Commands that restart the session, without CRLF; none when nothing is to be set. */
      readonly xclient: readonly string[]
      /** What they set. */
      readonly sets: readonly string[]
      /** The name for EHLO after them. */
      readonly helo: string
      /** Commands to send before each MAIL. */
      readonly xforward: readonly string[]
    }
  /** What has to be said cannot be said on this connection. */
  | { readonly kind: 'impossible'; readonly why: string }

/** Decides what to say on a connection of which is known what it offers, and what an earlier client has left on it. */
export function identification(greeting: SmtpGreeting, { client, login, signedIn }: Identity): Identification {
  const { clientFacts, extensions, xclient: left } = greeting
  const offered = attributesOf(extensions, 'XCLIENT')
  if (login !== undefined && !offered.has('LOGIN')) return impossible('the backend does not offer XCLIENT LOGIN')
  const byXclient = clientFacts === 'xclient' && offered.has('ADDR')
  const attributes = xclientAttributes({ login, client: byXclient ? client : undefined, left }, offered)
  const sets = attributes.map(([name]) => name)
  if (![...left].every((name) => sets.includes(name)))
    return impossible('what XCLIENT said of an earlier client cannot be taken back')
  const byXforward = clientFacts !== 'none' && !byXclient
  return {
    kind: 'possible',
    xclient: attributeCommands('XCLIENT', attributes),
    sets,
    helo: byXclient ? client.helo : greeting.name,
    xforward: byXforward ? xforwardCommands(client, signedIn, attributesOf(extensions, 'XFORWARD')) : [],
  }
}

function impossible(why: string): Identification {
  return { kind: 'impossible', why }
}
