// SPDX-License-Identifier: MIT
import type { Dialogue } from '../dialogue.js'
import { type Asked, askBranch, beginBranch, type Heard } from './begin.js'
import { type BranchRules, branchFor } from './branches.js'
import type { Envelope } from './envelope.js'
import type { Way } from './way.js'

/** Asks the backend whose turn it is whether it takes a recipient. */
export async function askRecipient(
  dialogue: Dialogue,
  envelope: Envelope,
  way: Way,
  asked: Asked,
  rules: BranchRules,
): Promise<Heard> {
  const choice = branchFor(envelope, way, rules)
  if (choice.kind === 'refused') return choice
  if (choice.kind === 'branch') return askBranch(dialogue, choice.branch, asked)
  dialogue.leaveEmpty(choice.empty)
  return beginBranch(dialogue, envelope, way, asked)
}
