// SPDX-License-Identifier: MIT
import { type PoxError, type PoxSchema, REQUESTS, RESPONSES } from './pox-words.js'
import { type AskedName, addressOf } from './subject.js'
import { childOf, readXml } from './xml.js'

/** A question of the first version. */
export interface PoxRequest {
  readonly kind: 'asked'
  readonly name: AskedName
  /** What the answer is to be written in. */
  readonly schema: PoxSchema
}

/** Characters of a distinguished name. */
const LONGEST_DN = 1024

/** Reads a question ([MS-OXDSCLI] section 2.2.3). Any octets give an answer. */
export function readPoxRequest(body: Uint8Array): PoxRequest | { readonly kind: 'bad'; readonly error: PoxError } {
  const root = readXml(body)
  const asked = schemaOf(REQUESTS, root?.namespace)
  if (root?.name !== 'Autodiscover' || asked === undefined) return bad('invalid-request')
  const { namespace } = root
  const request = childOf(root, namespace, 'Request')
  const written = childOf(request, namespace, 'EMailAddress')?.text ?? ''
  const legacyDn = childOf(request, namespace, 'LegacyDN')?.text ?? ''
  const address = addressOf(written)
  if (written === '' ? legacyDn === '' || legacyDn.length > LONGEST_DN : address === undefined)
    return bad('invalid-request')
  const wanted = childOf(request, namespace, 'AcceptableResponseSchema')?.text.replace(/^https:/, 'http:')
  const schema = wanted === undefined ? asked : schemaOf(RESPONSES, wanted)
  if (schema === undefined) return bad('no-provider')
  return { kind: 'asked', name: address === undefined ? { legacyDn } : { address }, schema }
}

function schemaOf(table: Readonly<Record<PoxSchema, string>>, namespace: string | undefined): PoxSchema | undefined {
  return (Object.keys(table) as PoxSchema[]).find((schema) => table[schema] === namespace)
}

function bad(error: PoxError): { readonly kind: 'bad'; readonly error: PoxError } {
  return { kind: 'bad', error }
}
