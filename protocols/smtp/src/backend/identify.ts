// SPDX-License-Identifier: MIT
import type { Endpoint } from '@portico/base'
import { attributeCommands, type ClientFacts, NOWHERE } from './client-facts.js'
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
      /** They name an address of IPv6. */
      readonly ipv6: boolean
    }
  /** What has to be said cannot be said on this connection. */
  | { readonly kind: 'impossible'; readonly why: string }

/** Decides what to say on a connection of which is known what it offers, and what an earlier client has left on it. */
export function identification(greeting: SmtpGreeting, { client: known, login, signedIn }: Identity): Identification {
  const { clientFacts, extensions, xclient: left } = greeting
  const client = greeting.ipv6 === false ? withoutIpv6(known) : known
  const offered = attributesOf(extensions, 'XCLIENT')
  if (login !== undefined && !offered.has('LOGIN')) return impossible('the backend does not offer XCLIENT LOGIN')
  const byXclient = clientFacts === 'xclient' && offered.has('ADDR')
  const attributes = xclientAttributes({ login, client: byXclient ? client : undefined, left }, offered)
  const sets = attributes.map(([name]) => name)
  if (![...left].every((name) => sets.includes(name)))
    return impossible('what XCLIENT said of an earlier client cannot be taken back')
  const byXforward = clientFacts !== 'none' && !byXclient
  const xforward = byXforward ? xforwardCommands(client, signedIn, attributesOf(extensions, 'XFORWARD')) : []
  const commands = attributeCommands('XCLIENT', attributes)
  return {
    kind: 'possible',
    xclient: commands,
    sets,
    helo: byXclient ? client.helo : greeting.name,
    xforward,
    ipv6: [...commands, ...xforward].some((command) => command.includes('ADDR=IPV6:')),
  }
}

/**
 * The same client, whose address nobody knows. To say nothing of it at all would lend the client our own, and with it whatever the
 * backend lets us do.
 */
function withoutIpv6(client: ClientFacts): ClientFacts {
  const told = (end: Endpoint) => (end.family === 6 ? NOWHERE : end)
  return { ...client, peer: told(client.peer), local: told(client.local) }
}

function impossible(why: string): Identification {
  return { kind: 'impossible', why }
}
