// SPDX-License-Identifier: MIT
import { createHmac } from 'node:crypto'
import type { Endpoint } from '@portico/base'
import { type Field, onlyValue } from './parse.js'
import { splitOutside } from './parse-text.js'
import { returnedVia, type Via } from './parse-via.js'
import type { Status } from './replies.js'
import type { Request } from './request.js'

const NAMES: Readonly<Record<string, string>> = {
  via: 'Via',
  from: 'From',
  to: 'To',
  'call-id': 'Call-ID',
  cseq: 'CSeq',
}

/** What a response is made of besides the request. */
export interface ResponseFacts {
  /** Where the request came from. */
  readonly peer: Endpoint
  /** Of all workers: any of them may be asked again. */
  readonly key: Uint8Array
}

/**
 * A response (RFC 3261 section 8.2.6): the request's Via fields, From, To, Call-ID and CSeq come back as they were, with a tag in
 * To that the same request always gets (section 8.2.7). Text of one octet for each character.
 */
export function formatResponse(
  request: Request & { readonly via: Via },
  { code, phrase }: Status,
  more: readonly string[],
  { peer, key }: ResponseFacts,
): string {
  let first = true
  const repeated = request.fields.flatMap(({ name, value }) => {
    const written = NAMES[name]
    if (written === undefined) return []
    if (name === 'via' && first) {
      first = false
      return [`Via: ${returnedVias(request.via, value, peer)}`]
    }
    return [`${written}: ${name === 'to' ? withTag(request, value, key) : value}`]
  })
  return [`SIP/2.0 ${code} ${phrase}`, ...repeated, ...more, 'Content-Length: 0', '', ''].join('\r\n')
}

function returnedVias(via: Via, value: string, peer: Endpoint): string {
  const [, ...others] = splitOutside(value, ',') ?? []
  return [returnedVia(via, peer), ...others].join(', ')
}

function withTag({ inDialog, fields, uri, via }: Request, value: string, key: Uint8Array): string {
  if (inDialog) return value
  const told = ['call-id', 'cseq', 'from'].map((name) => textOf(fields, name))
  const facts = [...told, value, uri, via?.sentBy ?? '', via?.parameters.get('branch') ?? '']
  const tag = createHmac('sha256', key).update(facts.join('\n')).digest('hex').slice(0, TAG_LENGTH)
  return `${value};tag=${tag}`
}

/** 80 bits: at least 32 are asked for (RFC 3261 section 19.3). */
const TAG_LENGTH = 20

function textOf(fields: readonly Field[], name: string): string {
  const only = onlyValue(fields, name)
  return only === undefined || only === 'many' ? '' : only.value
}
