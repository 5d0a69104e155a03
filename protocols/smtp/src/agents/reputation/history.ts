// SPDX-License-Identifier: MIT

/** What is known of the messages of one client. */
export interface History {
  /** How many it has tried to send. */
  readonly messages: number
  /** The sum of their ratings, each 0 to 9. */
  readonly rating: number
  /** Those before which it had said a name behind EHLO that nobody has. */
  readonly badHellos: number
  /** Those that came from an address without a name of its own. */
  readonly nameless: number
}

/** One message of a client. */
export interface Seen {
  /** 0 to 9: how little it was wanted. */
  readonly rating: number
  readonly badHello: boolean
  readonly nameless: boolean
}

export const NO_HISTORY: History = { messages: 0, rating: 0, badHellos: 0, nameless: 0 }

/** How far a client can come by its name behind EHLO and by the name of its address alone: not to where anybody is blocked. */
const HELLO_WEIGHT = 2
const NAME_WEIGHT = 1
const WORST = 9

/**
 * Sender reputation level, 0 (good) to 9: the mean rating of the messages, and up to two more for the share of them with a bad name
 * behind EHLO, up to one more for the share without a reverse name. Undefined below `from` messages: nobody is judged by a few.
 */
export function srlOf({ messages, rating, badHellos, nameless }: History, from: number): number | undefined {
  if (messages < from || messages === 0) return undefined
  const sum = rating + HELLO_WEIGHT * badHellos + NAME_WEIGHT * nameless
  return Math.min(WORST, Math.round(sum / messages))
}

export function withSeen(history: History, { rating, badHello, nameless }: Seen): History {
  return {
    messages: history.messages + 1,
    rating: history.rating + rating,
    badHellos: history.badHellos + (badHello ? 1 : 0),
    nameless: history.nameless + (nameless ? 1 : 0),
  }
}

/** What other agents have found against a message: `too-much` where it was refused for good. */
export type Found = 'nothing' | 'something' | 'too-much'

/** What an unwanted message without a level of its own counts: where mail begins to be taken for spam. */
const TAGGED = 5

/**
 * What a message counts. One that was refused for good because of a finding is the worst there is; one that was taken counts its spam
 * confidence level; one that was put off, or failed for no fault of the client's, counts nothing at all.
 */
export function ratingOf(accepted: boolean, found: Found, scl: number | undefined): number | undefined {
  if (!accepted) return found === 'too-much' ? WORST : undefined
  return Math.min(WORST, Math.max(0, scl ?? (found === 'nothing' ? 0 : TAGGED)))
}
