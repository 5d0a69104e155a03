// SPDX-License-Identifier: MIT
/** What the pages say in one language. Plain text; it is escaped where it is put. */
export interface Texts {
  /** Language tag (RFC 5646), and the way that it is written. */
  readonly lang: string
  readonly dir: 'ltr' | 'rtl'
  readonly signIn: string
  /** What the page asks for, by `logonFormat`. */
  readonly address: string
  readonly userName: string
  readonly domainUser: string
  readonly password: string
  readonly computer: string
  readonly publicComputer: string
  readonly publicHint: string
  readonly privateComputer: string
  readonly privateHint: string
  /** Why the page is shown. */
  readonly signedOut: string
  readonly wrong: string
  readonly expired: string
  readonly changed: string
  readonly stalePage: string
  readonly throttled: string
  readonly unavailable: string
  readonly refused: string
  readonly passwordExpired: string
  /** The mailbox is at another site, where one signs in again. */
  readonly elsewhere: string
  readonly elsewhereHint: string
  readonly goOn: string
  /** Put before the title of a page that tells of a failure. */
  readonly error: string
}
