// SPDX-License-Identifier: MIT
import type { Reply } from './replies.js'

/** What a request came to. */
export type Outcome =
  /** We answer ourselves. `persist`: the connection may go on. */
  | { readonly kind: 'reply'; readonly reply: Reply; readonly persist: boolean }
  /** The backend has answered. */
  | { readonly kind: 'proxied'; readonly status: number; readonly persist: boolean }
  /** A part of an answer is with the client: only breaking the connection tells it so. */
  | { readonly kind: 'broken'; readonly status: number }
  | { readonly kind: 'gone' }

/** We answer ourselves. */
export function reply(what: Reply, persist = true): Outcome {
  return { kind: 'reply', reply: what, persist }
}
