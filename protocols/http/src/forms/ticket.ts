// SPDX-License-Identifier: MIT
import { randomBytes } from 'node:crypto'
import type { EarlierSignIn } from '@portico/auth'
import { Secret } from '@portico/base'

/** What a sign-in cookie says once it is open. */
export interface Ticket {
  /** Names this sign-in, so that it can be ended. */
  readonly id: string
  /** When the password was shown, in milliseconds since the epoch. */
  readonly authTime: number
  /** Nobody but the backend has judged the password, and only as often as it was asked. */
  readonly deferred: boolean
  /** Holds the password only where it is needed again. */
  readonly earlier: EarlierSignIn
}

/** A name that nobody guesses. */
export function newId(): string {
  return randomBytes(16).toString('base64url')
}

interface Written extends Omit<Ticket, 'earlier'> {
  readonly earlier: Omit<EarlierSignIn, 'password'>
  readonly password?: string
}

/** A ticket as octets, to be sealed. */
export function writeTicket({ earlier: { password, ...earlier }, ...ticket }: Ticket): Buffer {
  const written: Written = {
    ...ticket,
    earlier,
    ...(password === undefined ? {} : { password: password.expose() }),
  }
  return Buffer.from(JSON.stringify(written))
}

/** Reads what {@link writeTicket} wrote: the seal vouches for that. */
export function readTicket(octets: Buffer): Ticket {
  const { earlier, password, ...ticket } = JSON.parse(octets.toString()) as Written
  return { ...ticket, earlier: password === undefined ? earlier : { ...earlier, password: new Secret(password) } }
}
