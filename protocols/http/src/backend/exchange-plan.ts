// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { Leg } from '@portico/net'
import type { ClientExchange } from '../client/client-exchange.js'
import type { Framing } from '../codec/framing.js'
import type { HeadLimits } from '../codec/head.js'
import type { View } from '../directory/mapping.js'
import type { UploadFault } from './upload.js'
import type { UploadPace } from './upload-pace.js'

/** One request, ready to be put to a backend. */
export interface ExchangePlan {
  readonly client: ClientExchange
  /** Breaks it off in the middle: somebody else needs its place. */
  readonly cancelled: Cancellation | undefined
  readonly backend: Leg
  /** The head for the backend, as latin1 text. */
  readonly head: string
  readonly method: string
  readonly body: Framing
  /** Protocols that the backend may change to, in lower case. None where the client does not have its leg for itself. */
  readonly upgrades: readonly string[]
  readonly maxBody: number
  /** Asked when the response's head is written: may the client's connection go on? */
  readonly persist: () => boolean
  /** How what the backend says is the client's to see. */
  readonly view: View
  /** Field lines of ours for the client, each with its CRLF. */
  readonly fields: string
  /** The backend's 401 is a verdict for us and not for the client. */
  readonly keep401: boolean
  readonly limits: HeadLimits
  /** Milliseconds without an octet from or to the backend. */
  readonly responseTimeout: number
  /** Milliseconds for which a request body may stand still. */
  readonly bodyTimeout: number
  /** Watches over the pace of the body; `undefined` where any will do. */
  readonly pace: UploadPace | undefined
  /** That the client has finished sending is the backend's to know as well. */
  readonly passesEnd: boolean
  /** Milliseconds that a client which has finished sending is still served. */
  readonly halfClosed: number
}

/** How an exchange ended. Until `answered` or `broken` the client has got nothing of a final response. */
export type ExchangeEnd =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly persist: boolean
      readonly reusable: boolean
      /** Milliseconds for which the backend's connection may rest. */
      readonly longestRest: number
    }
  /** The backend has changed to another protocol, and the client knows: what is left in both legs belongs to it. */
  | { readonly kind: 'switched' }
  /** The response broke off; the client has a part of it and must not take it for the whole. */
  | { readonly kind: 'broken'; readonly status: number }
  /** The backend said 401 and `keep401` was set. */
  | { readonly kind: 'unauthorized' }
  /** `untouched`: no octet came from the backend and none of the body was taken. */
  | { readonly kind: 'unanswered'; readonly why: 'closed' | 'timeout' | 'garbage'; readonly untouched: boolean }
  | { readonly kind: 'bad-request-body'; readonly why: UploadFault }
  | { readonly kind: 'client-gone' }
