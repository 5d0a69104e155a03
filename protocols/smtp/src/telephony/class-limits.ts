// SPDX-License-Identifier: MIT
import type { HeaderFields } from '../message/header-fields.js'
import { say } from '../replies.js'
import { numberOf } from './field-values.js'
import type { MessageClass } from './message-class.js'
import type { TelephonySettings } from './telephony-schema.js'

/** What is known of the size of a message. */
export interface Extent {
  /** Octets. */
  readonly size: number
  readonly fields: HeaderFields
  /** Header sections of its parts, as far as they were looked at. */
  readonly parts: readonly HeaderFields[]
}

const SECOND = 1_000

/** Why a message is too much for its class; undefined where it is not. */
export function excessOf(messageClass: MessageClass, extent: Extent, limits: TelephonySettings['limits']) {
  if (messageClass === 'voice') {
    if (extent.size > limits.voice.maxSize) return excess('Voice message too big')
    if (durationOf(extent) * SECOND > limits.voice.maxDuration) return excess('Voice message too long')
  }
  if (messageClass === 'fax') {
    if (extent.size > limits.fax.maxSize) return excess('Fax too big')
    if ((numberOf(extent.fields, 'x-faxnumberofpages') ?? 0) > limits.fax.maxPages)
      return excess('Fax has too many pages')
  }
  return undefined
}

/** Seconds of the longest thing in it that somebody tells the length of. */
function durationOf({ fields, parts }: Extent): number {
  const told = [numberOf(fields, 'x-voicemessageduration'), numberOf(fields, 'content-duration')]
  return Math.max(0, ...[...told, ...parts.map((part) => numberOf(part, 'content-duration'))].map((one) => one ?? 0))
}

function excess(reason: string) {
  return { kind: 'against', reply: say(552, '5.3.4', reason), reason } as const
}
