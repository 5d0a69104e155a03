// SPDX-License-Identifier: MIT
import { REPLIES, type Reply } from '../replies.js'
import type { Connector } from '../schema.js'
import type { Branch, Envelope } from './envelope.js'
import type { Way } from './way.js'

/** What the site wants to become of recipients that do not share the first one's route. */
export interface BranchRules {
  /** One message may have several backends: our listener speaks LMTP, or the site takes the duplicates. */
  readonly many: boolean
  /** The first one's backend is asked for the recipients of other routes, too: it relays. */
  readonly sameBackend: boolean
}

/** A message has one final answer in SMTP, and so one backend unless the site says otherwise. */
export function rulesOf(connector: Pick<Connector, 'lmtp' | 'otherRoutes' | 'multipleRecipients'>): BranchRules {
  return {
    many: connector.lmtp || connector.multipleRecipients === 'may-duplicate',
    sameBackend: connector.otherRoutes === 'same-backend',
  }
}

/** Where a recipient is to be asked for. `empty`: branches that nobody was accepted for, to be given up before. */
export type Choice =
  | { readonly kind: 'branch'; readonly branch: Branch }
  | { readonly kind: 'new'; readonly empty: readonly Branch[] }
  | { readonly kind: 'refused'; readonly reply: Reply }

/** Backends of one message. */
const MOST_BRANCHES = 16

/** Chooses where a recipient belongs. Branches without recipients leave the envelope when a new one is chosen. */
export function branchFor(envelope: Envelope, way: Way, rules: BranchRules): Choice {
  const { branches } = envelope
  const present = branches.find((branch) => branch.way.key === way.key)
  if (present !== undefined && !(present.backend.over && present.recipients === 0)) return onPresent(present, rules)
  const first = branches.find((branch) => branch.recipients > 0)
  if (first !== undefined && !rules.many) {
    // The backend may be gone, and with it the recipients that it had accepted.
    if (first.backend.over) return refused(REPLIES.backendTrouble)
    const relays = rules.sameBackend && first.backend.dialect === 'smtp' && first.way.forCalls !== true
    return relays ? { kind: 'branch', branch: first } : refused(REPLIES.otherRoute)
  }
  const empty = branches.filter((branch) => branch.recipients === 0)
  if (branches.length - empty.length >= MOST_BRANCHES) return refused(REPLIES.otherRoute)
  branches.splice(0, branches.length, ...branches.filter((branch) => branch.recipients > 0))
  return { kind: 'new', empty }
}

/** In LMTP the recipients of a transaction have an answer each, and a sender in SMTP gets one for all. */
function onPresent(branch: Branch, rules: BranchRules): Choice {
  if (branch.backend.over) return refused(REPLIES.backendTrouble)
  if (branch.backend.dialect === 'lmtp' && branch.recipients > 0 && !rules.many) return refused(REPLIES.otherRoute)
  return { kind: 'branch', branch }
}

function refused(reply: Reply): Choice {
  return { kind: 'refused', reply }
}
