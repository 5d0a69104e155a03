// SPDX-License-Identifier: MIT
import type { Reply } from './replies.js'

/** What a request came to. */
export type Outcome =
  /** We answer ourselves. */
  | {
      readonly kind: 'reply'
      readonly reply: Reply
      /** The connection may go on, as far as HTTP/1.1 is concerned. In HTTP/2 only a refusal of the client itself ends it. */
      readonly persist: boolean
      /** What we ask for takes the leg for itself: a client of HTTP/2 is sent to HTTP/1.1 instead (RFC 9113 section 7). */
      readonly needsOwnLeg?: boolean
    }
  /** The backend has answered. */
  | { readonly kind: 'proxied'; readonly status: number; readonly persist: boolean }
  /** A part of an answer is with the client: only breaking the connection tells it so. */
  | { readonly kind: 'broken'; readonly status: number }
  | { readonly kind: 'gone' }

/** We answer ourselves. */
export function reply(what: Reply, persist = true): Extract<Outcome, { kind: 'reply' }> {
  return { kind: 'reply', reply: what, persist }
}
