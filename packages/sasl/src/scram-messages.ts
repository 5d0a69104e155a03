// SPDX-License-Identifier: MIT
import { decodeUtf8, MAX_FIELD_OCTETS } from './server/text.js'

/** Names may be written with three characters for one, and there are two of them; nonce and channel data are short. */
const MAX_MESSAGE_OCTETS = 6 * MAX_FIELD_OCTETS + 1024

/** The client's first message (RFC 5802 section 7), read. */
export interface ClientFirst {
  /** As it was sent, with its trailing comma: it comes again inside `c=`. */
  readonly gs2Header: string
  /** `none`: no support; `unused`: supported, but the server is thought not to; or the type that is used. */
  readonly binding: { readonly kind: 'none' | 'unused' } | { readonly kind: 'used'; readonly type: string }
  readonly authzid: string | undefined
  readonly user: string
  readonly nonce: string
  readonly bare: string
}

/** The client's final message, read. */
export interface ClientFinal {
  readonly channel: Buffer
  readonly nonce: string
  readonly proof: Buffer
  readonly withoutProof: string
}

export type Read<T> = T | 'malformed' | 'too-long'

/** Reads a client-first-message. A mandatory extension (`m=`) is one that we do not know: malformed. */
export function readClientFirst(message: Uint8Array): Read<ClientFirst> {
  const text = textOf(message)
  if (text === undefined) return message.length > MAX_MESSAGE_OCTETS ? 'too-long' : 'malformed'
  const [, gs2Header, flag, type, written, bare] =
    /^((n|y|p=([A-Za-z0-9.-]+)),(?:a=([^,]+))?,)(n=.*)$/s.exec(text) ?? []
  const [, saslname, nonce] = /^n=([^,]*),r=([\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,]+)*$/.exec(bare ?? '') ?? []
  if (gs2Header === undefined || bare === undefined || saslname === undefined || nonce === undefined) return 'malformed'
  const user = readSaslname(saslname)
  const authzid = written === undefined ? undefined : readSaslname(written)
  if (user === undefined || (written !== undefined && authzid === undefined)) return 'malformed'
  if ([user, authzid ?? '', nonce].some((part) => Buffer.byteLength(part) > MAX_FIELD_OCTETS)) return 'too-long'
  const binding =
    type === undefined ? ({ kind: flag === 'y' ? 'unused' : 'none' } as const) : ({ kind: 'used', type } as const)
  return { gs2Header, binding, authzid, user, nonce, bare }
}

/** Reads a client-final-message. */
export function readClientFinal(message: Uint8Array): Read<ClientFinal> {
  const text = textOf(message)
  if (text === undefined) return message.length > MAX_MESSAGE_OCTETS ? 'too-long' : 'malformed'
  const [, withoutProof, channel, nonce, proof] =
    /^(c=([A-Za-z0-9+/=]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,]+)*),p=([A-Za-z0-9+/=]+)$/.exec(text) ?? []
  if (withoutProof === undefined || nonce === undefined) return 'malformed'
  const [channelBytes, proofBytes] = [strictBase64(channel ?? ''), strictBase64(proof ?? '')]
  if (channelBytes === undefined || proofBytes === undefined) return 'malformed'
  return { channel: channelBytes, nonce, proof: proofBytes, withoutProof }
}

/** A name as it is written inside a message: `=2C` for a comma, `=3D` for an equals sign (RFC 5802 section 5.1). */
export function writeSaslname(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C')
}

/** Any other use of `=` and a NUL are malformed. */
function readSaslname(text: string): string | undefined {
  if (/=(?!2C|3D)/.test(text) || text.includes('\0')) return undefined
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

function textOf(message: Uint8Array): string | undefined {
  return message.length > MAX_MESSAGE_OCTETS ? undefined : decodeUtf8(message)
}

function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
