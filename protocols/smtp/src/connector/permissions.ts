// SPDX-License-Identifier: MIT

/**
 * What a connector may allow.
 *
 * `submit`: MAIL at all; for those who sign in also AUTH. `relay`: recipients of any domain, not of the connector's alone.
 * `any-sender`: any address in MAIL. `own-domain-sender`: an address of the connector's own domains in MAIL.
 * `bypass-anti-spam`: no anti-spam agent is asked. `bypass-size`: no largest message. `routing-headers`, `organization-headers`,
 * `forest-headers`: header fields that say where a message has been and what other servers of the organization think of it.
 * `telephony-headers`: header fields that say that a message is a fax, a voice message and their like.
 */
export const PERMISSIONS = [
  'submit',
  'relay',
  'any-sender',
  'own-domain-sender',
  'bypass-anti-spam',
  'bypass-size',
  'routing-headers',
  'organization-headers',
  'forest-headers',
  'telephony-headers',
] as const

export type Permission = (typeof PERMISSIONS)[number]

/** What a connector allows to those who have not signed in, and to those who have. */
export interface Permissions {
  readonly anonymous: readonly Permission[]
  readonly authenticated: readonly Permission[]
}

/** Whether a client may do something at a connector. */
export function may(
  { permissions }: { readonly permissions: Permissions },
  signedIn: boolean,
  permission: Permission,
): boolean {
  return (signedIn ? permissions.authenticated : permissions.anonymous).includes(permission)
}

/** Octets of the largest message that a client may send. */
export function sizeLimit(
  connector: { readonly permissions: Permissions; readonly maxSize: number },
  signedIn: boolean,
): number {
  return may(connector, signedIn, 'bypass-size') ? Number.POSITIVE_INFINITY : connector.maxSize
}
