// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import type { Content, Markup } from './markup.js'
import { element, elements } from './markup.js'

const BASE = 'http://schemas.microsoft.com/exchange/autodiscover'

/** Namespaces of questions, by what is asked for. */
export const REQUESTS = {
  outlook: `${BASE}/outlook/requestschema/2006`,
  mobilesync: `${BASE}/mobilesync/requestschema/2006`,
} as const

/** Namespaces of answers. */
export const RESPONSES = {
  outlook: `${BASE}/outlook/responseschema/2006a`,
  mobilesync: `${BASE}/mobilesync/responseschema/2006`,
} as const

export type PoxSchema = keyof typeof RESPONSES

/** The root of every answer ([MS-OXDSCLI] section 2.2.4). */
export function answer(content: Content, schema?: PoxSchema): Markup {
  const xmlns = schema === undefined ? undefined : RESPONSES[schema]
  return element('Autodiscover', element('Response', content, { xmlns }), { xmlns: `${BASE}/responseschema/2006` })
}

/** What goes wrong, in the numbers that clients know. They come with HTTP status 200. */
export const POX_ERRORS = {
  'invalid-request': { code: '600', message: 'Invalid Request' },
  'no-provider': { code: '601', message: 'Provider is not available' },
  nobody: { code: '500', message: 'The email address can\u2019t be found.' },
  unavailable: { code: '603', message: 'Server Error' },
} as const

export type PoxError = keyof typeof POX_ERRORS

/** `hostname` only tells servers apart: it is not shown. */
export function errorAnswer(error: PoxError, { wallNow, hostname }: { wallNow: number; hostname: string }): Markup {
  const { code, message } = POX_ERRORS[error]
  const content = elements({ ErrorCode: code, Message: message, DebugData: '' })
  const attributes = {
    Time: `${new Date(wallNow).toISOString().slice(11, 23)}0000`,
    Id: String(createHash('sha256').update(hostname).digest().readUInt32BE(0)),
  }
  return answer(element('Error', content, attributes))
}
