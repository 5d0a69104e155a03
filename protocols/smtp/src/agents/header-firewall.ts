// SPDX-License-Identifier: MIT
import { isSignedIn } from '../connector/access.js'
import { may } from '../connector/permissions.js'
import type { Dialogue } from '../dialogue.js'
import { type HeaderEdits, parseHeader } from '../message/header-fields.js'
import { headerFirewall } from '../message/header-firewall.js'

/**
 * What goes out of the header section of every message that comes in: what only servers of the organization may say, from whom is
 * none of them. No agent, because it costs no pass of its own: its word counts in the same edit as the agents'.
 */
export function ingressFirewall(dialogue: Dialogue): HeaderEdits {
  const { connector, session } = dialogue
  const signedIn = isSignedIn(dialogue)
  const isOurs = may(connector, signedIn, 'organization-headers')
  const remove = headerFirewall({
    organization: !isOurs,
    forest: !may(connector, signedIn, 'forest-headers'),
    own: !isOurs,
    routing: !may(connector, signedIn, 'routing-headers'),
    forgedResultsOf: isOurs ? undefined : session.services.hostname,
  })
  return { remove, prepend: [] }
}

const isForOursOnly = headerFirewall({
  organization: true,
  forest: true,
  own: true,
  routing: false,
  forgedResultsOf: undefined,
})

/**
 * The same edits for a message that leaves the organization: it loses what only servers of the organization are to know, be it what
 * has come or what agents have added.
 */
export function egressFirewall(edits: readonly HeaderEdits[]): readonly HeaderEdits[] {
  const mayLeave = (text: string) => !parseHeader(Buffer.from(text, 'latin1'), 'plain').list.some(isForOursOnly)
  const kept = edits.map((edit) => ({ ...edit, prepend: edit.prepend.filter(mayLeave) }))
  return [...kept, { remove: isForOursOnly, prepend: [] }]
}
