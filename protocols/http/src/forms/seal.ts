// SPDX-License-Identifier: MIT
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { KeyRing } from './key-ring.js'
import { readTicket, type Ticket, writeTicket } from './ticket.js'

/** Whether others use the computer too. */
export type Computer = 'public' | 'private'

/** For how long each kind of sign-in lives, in milliseconds. */
export type Timeouts = Readonly<Record<Computer, number>>

/**
 * Where a sealed ticket holds: it opens nowhere else. `at`: now, in milliseconds since the epoch.
 */
export interface SealPlace {
  readonly cookie: string
  readonly host: string
  readonly at: number
}

export type Opened =
  /** `old`: it was sealed in an epoch before this one, and is to be sealed anew when it is used. */
  | { readonly kind: 'open'; readonly ticket: Ticket; readonly computer: Computer; readonly old: boolean }
  /** Nothing was asked for too long. */
  | { readonly kind: 'expired' }
  /** Never sealed here, or changed since. */
  | { readonly kind: 'bad' }
  | { readonly kind: 'unavailable' }

/** version 1, computer 1, key id 4, epoch 4, nonce 12; then the ciphertext, and its tag of 16. */
const VERSION = 1
const HEADER = 10
const NONCE = 12
const TAG = 16
const COMPUTERS: readonly Computer[] = ['public', 'private']

/** Number of the half timeout that a time lies in. */
export function epochOf(at: number, timeout: number): number {
  return Math.floor(at / (timeout / 2))
}

/**
 * Seals a ticket (AES-256-GCM, NIST SP 800-38D) under the key of this half timeout. Such a key opens for this half and the two
 * after it, so that a sign-in lives for one timeout to one and a half after its last use.
 */
export async function seal(
  ring: KeyRing,
  timeouts: Timeouts,
  computer: Computer,
  ticket: Ticket,
  place: SealPlace,
): Promise<string | 'unavailable'> {
  const half = timeouts[computer] / 2
  const epoch = epochOf(place.at, timeouts[computer])
  const root = await ring.sealing(epoch * half)
  if (root === 'unavailable') return root
  const header = Buffer.alloc(HEADER)
  header.set([VERSION, COMPUTERS.indexOf(computer)])
  header.set(root.id, 2)
  header.writeUInt32BE(epoch, 6)
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv('aes-256-gcm', root.key(computer, epoch), nonce, { authTagLength: TAG })
  cipher.setAAD(associated(header, place))
  const text = Buffer.concat([cipher.update(writeTicket(ticket)), cipher.final()])
  return Buffer.concat([header, nonce, text, cipher.getAuthTag()]).toString('base64url')
}

/** Opens what {@link seal} made, in the same place. */
export async function open(ring: KeyRing, timeouts: Timeouts, sealed: string, place: SealPlace): Promise<Opened> {
  const octets = Buffer.from(sealed, 'base64url')
  const computer = COMPUTERS[octets[1] ?? COMPUTERS.length]
  if (octets.length <= HEADER + NONCE + TAG || octets[0] !== VERSION || computer === undefined) return { kind: 'bad' }
  const epoch = octets.readUInt32BE(6)
  const now = epochOf(place.at, timeouts[computer])
  if (epoch < now - 2) return { kind: 'expired' }
  // The clocks of two nodes differ a little.
  if (epoch > now + 1) return { kind: 'bad' }
  const root = await ring.opening(octets.subarray(2, 6), epoch * (timeouts[computer] / 2))
  if (root === 'unavailable') return { kind: 'unavailable' }
  if (root === undefined) return { kind: 'bad' }
  const text = decrypt(root.key(computer, epoch), octets, place)
  return text === undefined ? { kind: 'bad' } : { kind: 'open', ticket: readTicket(text), computer, old: epoch < now }
}

function decrypt(key: Buffer, octets: Buffer, place: SealPlace): Buffer | undefined {
  const nonce = octets.subarray(HEADER, HEADER + NONCE)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG })
  decipher.setAAD(associated(octets.subarray(0, HEADER), place))
  decipher.setAuthTag(octets.subarray(-TAG))
  try {
    return Buffer.concat([decipher.update(octets.subarray(HEADER + NONCE, -TAG)), decipher.final()])
  } catch {
    return undefined
  }
}

function associated(header: Buffer, { cookie, host }: SealPlace): Buffer {
  return Buffer.concat([header, Buffer.from(`${cookie}\n${host}`)])
}
