// SPDX-License-Identifier: MIT
import type { HeaderFields } from '../../message/header-fields.js'
import type { SpooledMessage } from '../../message/spool.js'
import { partOf } from '../../message/spool-writer.js'
import { BodyHash } from './body-hash.js'
import { type Canonicalization, canonicalField } from './canonical-header.js'
import type { Signature } from './signature.js'

/** A header field with its lines as they came, one character for each octet. */
export interface SignedField {
  readonly name: string
  readonly lines: string
  /** What is behind the colon, unfolded. */
  text(): string
}

/** A message as signatures see it. */
export interface SignedMessage {
  readonly fields: readonly SignedField[]
  /** The fields of a name, which is in lower case, the first one first. */
  named(name: string): readonly SignedField[]
  /** Octets of the header section with its empty line. */
  readonly bodyAt: number
}

/**
 * Reads the header section of a message whose fields, as an agent got them, are `fields`. Undefined where readers would not agree what
 * the fields are: then no signature over them means anything. Rejects when the disk failed.
 */
export async function readSigned(message: SpooledMessage, fields: HeaderFields): Promise<SignedMessage | undefined> {
  const section = await message.start((fields.list.at(-1)?.end ?? 0) + 2)
  if (section === undefined) throw new Error('the message could not be read')
  const { list, faulty, tooMany } = fields
  if (faulty || tooMany) return undefined
  const end = list.at(-1)?.end ?? 0
  const bodyAt = section.toString('latin1', end, end + 2) === '\r\n' ? end + 2 : end
  const read = list.map((field) => ({
    name: field.name,
    lines: section.toString('latin1', field.start, field.end),
    text: () => field.text(),
  }))
  const byName = new Map<string, SignedField[]>()
  for (const field of read) {
    const others = byName.get(field.name)
    if (others === undefined) byName.set(field.name, [field])
    else others.push(field)
  }
  return { fields: read, bodyAt, named: (name) => byName.get(name) ?? [] }
}

/** The signed fields, the last one of a name first (RFC 6376 section 5.4.2), each with its CRLF. Names without a field sign that there is none. */
export function signedHeader(message: SignedMessage, names: readonly string[], form: Canonicalization): string {
  const taken = new Map<string, number>()
  let text = ''
  for (const name of names) {
    const count = (taken.get(name) ?? 0) + 1
    taken.set(name, count)
    const field = message.named(name).at(-count)
    if (field !== undefined) text += `${canonicalField(field.lines, form)}\r\n`
  }
  return text
}

/** The hash of a body, and the octets that it has in that form, for one of the signatures that it was read for. */
export type BodyHashes = (signature: Signature) => { readonly hash: string; readonly length: number } | undefined

/** Reads the body once for all signatures, of which each takes it in one of two forms. Rejects when the disk failed. */
export async function hashBodies(
  message: SpooledMessage,
  bodyAt: number,
  signatures: readonly Signature[],
): Promise<BodyHashes> {
  const hashes = new Map(signatures.map(({ body }) => [body, new BodyHash(body)]))
  const end =
    hashes.size === 0
      ? 'done'
      : await partOf(message, bodyAt, message.size).read((piece) => {
          for (const hash of hashes.values()) hash.update(piece)
          return true
        })
  if (end !== 'done') throw new Error('the message could not be read')
  const finished = new Map([...hashes].map(([key, hash]) => [key, hash.finish()]))
  return ({ body }) => finished.get(body)
}
