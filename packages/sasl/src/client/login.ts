// SPDX-License-Identifier: MIT

/**
 * The two responses of LOGIN for a backend (draft-murchison-sasl-login), not yet in base64: user name, then password. Throws
 * `TypeError` when one of them holds NUL.
 */
export function loginResponses(user: string, password: string): [Buffer, Buffer] {
  if (user.includes('\0') || password.includes('\0')) throw new TypeError('a SASL LOGIN part must not hold NUL')
  return [Buffer.from(user), Buffer.from(password)]
}
