// SPDX-License-Identifier: MIT
import type { Cancellation, EmailAddress, MailboxLocation, Principal } from '@portico/base'

/** Finds where a mailbox lives. A lookup that fails is `unavailable`, never another backend. */
export interface Locator extends AsyncDisposable {
  readonly name: string
  locate(who: Principal | EmailAddress, signal: Cancellation): Promise<LocateAnswer>
}

export type LocateAnswer =
  | { readonly kind: 'found'; readonly location: MailboxLocation }
  /** This locator does not know the mailbox: the next one is asked; after the last it does not exist. */
  | { readonly kind: 'none' }
  | { readonly kind: 'unavailable'; readonly cause?: unknown }

/** True for an inbound recipient, false for somebody who has authenticated. */
export function isAddress(who: Principal | EmailAddress): who is EmailAddress {
  return 'kind' in who && who.kind === 'address'
}
