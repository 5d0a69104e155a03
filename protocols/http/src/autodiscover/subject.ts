// SPDX-License-Identifier: MIT
import type { Authenticator } from '@portico/auth'
import type { Principal } from '@portico/base'
import type { Publication } from '@portico/session'
import { ownerOf } from '../routing/route-for.js'

/** Whose settings are asked for. */
export interface Subject {
  /** What a locator is asked with. */
  readonly owner: Principal
  readonly address: string
  /** Fields of the account; empty where nothing is known of it. */
  readonly fields: ReadonlyMap<string, string>
  readonly isOwn: boolean
}

/** By what somebody is asked about. */
export interface AskedName {
  readonly address?: string | undefined
  readonly legacyDn?: string | undefined
}

interface Judges {
  readonly authenticator: Pick<Authenticator, 'accountOf' | 'mayActFor'>
  readonly publication: Pick<Publication, 'domains' | 'publicFolders'>
}

const ADDRESS = /^[^\s@<>"&\0-\x1f\x7f]{1,64}@[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}.-]*[\p{L}\p{N}])?$/u

/** The address of a question, if it is one. */
export function addressOf(text: string): string | undefined {
  const plain = text.replace(/^smtp:/i, '')
  return plain.length <= 254 && ADDRESS.test(plain) ? plain : undefined
}

/**
 * Who is meant: the user who has signed in, a mailbox that they may act for, or one of the site's public folders. `undefined` for
 * everybody else, whether they exist or not.
 */
export function subjectOf(principal: Principal, asked: AskedName, judges: Judges): Subject | undefined {
  const own = ownAddresses(principal, judges.publication)
  const { fields } = principal
  const { address, legacyDn } = asked
  if (address === undefined) {
    const isOwn = legacyDn !== undefined && legacyDn.toLowerCase() === fields.get('legacy_dn')?.toLowerCase()
    return isOwn && own[0] !== undefined ? { owner: principal, address: own[0], fields, isOwn } : undefined
  }
  if (isOwnAddress(principal, address, own, judges)) {
    return { owner: principal, address: own[0] ?? address, fields, isOwn: true }
  }
  if (!mayAskAbout(principal, address, judges)) return undefined
  const owner = ownerOf(judges.authenticator.accountOf(address), principal)
  return { owner, address, fields: owner.fields, isOwn: false }
}

/** Other servers have a place on a disk in a field of the same name. */
function isAccountAddress(text: string): boolean {
  return addressOf(text) === text && !/[:/\\]/.test(text)
}

/** The address in a field of an account; `undefined` where there is none. */
export function addressIn(fields: ReadonlyMap<string, string>, name: string): string | undefined {
  const text = fields.get(name) ?? ''
  return isAccountAddress(text) ? text : undefined
}

/** The addresses that an account is known to have, the one that it sends from first. */
export function ownAddresses({ user, fields }: Principal, { domains }: Judges['publication']): readonly string[] {
  const written = (fields.get('mail') ?? '').split(',').filter(isAccountAddress)
  const named = user.includes('@') ? [user] : domains.map((domain) => `${user}@${domain}`)
  return [...written, ...named]
}

function isOwnAddress(principal: Principal, address: string, own: readonly string[], judges: Judges): boolean {
  const lower = address.toLowerCase()
  const user = principal.user.toLowerCase()
  if (own.some((each) => each.toLowerCase() === lower)) return true
  if (judges.authenticator.accountOf(address).toLowerCase() === user) return true
  // Nothing says which domains there are: an address that only differs by its domain is taken for the user's.
  return own.length === 0 && lower.slice(0, lower.lastIndexOf('@')) === user
}

function mayAskAbout(principal: Principal, address: string, { authenticator, publication }: Judges): boolean {
  const lower = address.toLowerCase()
  if (publication.publicFolders.includes(lower)) return true
  if (addressIn(principal.fields, 'public_folders')?.toLowerCase() === lower) return true
  return authenticator.mayActFor(principal, address)
}
