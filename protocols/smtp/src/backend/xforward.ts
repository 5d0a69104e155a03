// SPDX-License-Identifier: MIT
import { addressOf, attributeCommands, type ClientFacts, portOf, UNAVAILABLE, xtext } from './client-facts.js'

/**
 * The XFORWARD commands, without CRLF, for the attributes that the backend takes. They hold for one transaction: Postfix forgets
 * them at its end.
 */
export function xforwardCommands(
  facts: ClientFacts,
  signedIn: boolean,
  offered: ReadonlySet<string>,
): readonly string[] {
  const all = {
    NAME: UNAVAILABLE,
    ADDR: addressOf(facts.peer),
    PORT: portOf(facts.peer),
    PROTO: facts.protocol,
    HELO: xtext(facts.helo),
    IDENT: xtext(facts.sessionId),
    SOURCE: signedIn ? 'LOCAL' : 'REMOTE',
  }
  return attributeCommands(
    'XFORWARD',
    Object.entries(all).filter(([name]) => offered.has(name)),
  )
}
