// SPDX-License-Identifier: MIT
import type { EnvelopeFacts } from '../agents/agent.js'
import type { Content, Unreadable } from '../content/content.js'
import type { HeaderFields } from '../message/header-fields.js'

/** What rules judge. */
export interface RuleFacts {
  readonly envelope: EnvelopeFacts
  readonly fields: HeaderFields
  /** Address of the client; undefined where it has none. */
  readonly client: string | undefined
  /** It has signed in, or is in a network of the site's own. */
  readonly inside: boolean
  /** Octets of the message; undefined while its end is not here. */
  readonly size: number | undefined
  /** What other agents have come to. */
  readonly scl: number | undefined
  readonly types: ReadonlySet<string>
  /** Undefined where nobody has read it yet. */
  readonly content: Content | Unreadable | undefined
  /** Characters of the text that are looked into. */
  readonly text: number
}
