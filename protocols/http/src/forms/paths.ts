// SPDX-License-Identifier: MIT
/** What a path below a mount means to the sign-in. */
export type FormsPage = 'logon' | 'submit' | 'logoff'

/** In lower case. The second name of each is the one of older clients. */
const PAGES: ReadonlyMap<string, FormsPage> = new Map([
  ['/auth/logon.aspx', 'logon'],
  ['/auth.owa', 'submit'],
  ['/auth/owaauth.dll', 'submit'],
  ['/auth/logoff.aspx', 'logoff'],
  ['/logoff.owa', 'logoff'],
])

const LONGEST = Math.max(...[...PAGES.keys()].map(({ length }) => length))

/** The page that a path below a mount names, in any case. */
export function formsPageOf(rest: string): FormsPage | undefined {
  return rest.length > LONGEST ? undefined : PAGES.get(rest.toLowerCase())
}

/** Why the page is shown, as its address says it. */
export type Reason = 0 | 1 | 2 | 3 | 4

/** Nothing to say; signed out; wrong name or password; nothing was asked for too long; the password was changed. */
export const REASON = { none: 0, signedOut: 1, wrong: 2, expired: 3, changed: 4 } as const satisfies Record<
  string,
  Reason
>

export function readReason(text: string | null): Reason {
  return text !== null && /^[0-4]$/.test(text) ? (Number(text) as Reason) : REASON.none
}

/** The mount as the beginning of a path. */
export function mountPath(mount: string): string {
  return mount.endsWith('/') ? mount.slice(0, -1) : mount
}

/** Where the sign-in page of a mount is, and where it leads to. */
export function logonPath(mount: string, reason: Reason, destination: string | undefined): string {
  const url = destination === undefined ? '' : `url=${encodeURIComponent(destination)}&`
  return `${mountPath(mount)}/auth/logon.aspx?${url}reason=${reason}`
}
