// SPDX-License-Identifier: MIT
import type { Offer } from '@portico/session'
import type { HttpPlaces } from './http-places.js'

/** Everything that one user's client is told to use. The renderers write it down, each in its own form. */
export interface ClientSettings {
  readonly displayName: string
  /** The address that mail is sent from. */
  readonly address: string
  /** What the client signs in with to the mail protocols. */
  readonly userName: string
  /** What stands for the mailbox in the addresses of MAPI/HTTP and RPC: `guid@domain`, or the address. */
  readonly mailboxId: string
  /** Name of the account in the backend's own directory, where the account says it. */
  readonly legacyDn: string | undefined
  /** IMAP4, POP3 and SMTP as this user may use them from here, the best first. */
  readonly offers: readonly Offer[]
  /** HTTP as it is reached from everywhere. */
  readonly external: HttpPlaces | undefined
  /** HTTP as it is reached from inside; only for a client that is there. */
  readonly internal: HttpPlaces | undefined
  /** Address of the mailbox that the user's public folders are read from. */
  readonly publicFolders: string | undefined
}

/** What a question for somebody's settings comes to. */
export type Told =
  | { readonly kind: 'settings'; readonly settings: ClientSettings }
  /** Ask again for this address, which is another one. */
  | { readonly kind: 'redirect-address'; readonly address: string }
  /** Ask again at this address, which begins with `https://` and is that of another server: `origin` without a slash at the end. */
  | { readonly kind: 'redirect-url'; readonly origin: string }
  /** Nobody whom the client may ask about, whether there is somebody or not. */
  | { readonly kind: 'nobody' }
  | { readonly kind: 'unavailable' }
