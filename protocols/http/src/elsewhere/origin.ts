// SPDX-License-Identifier: MIT
/** `https://host[:port]` of what a redirection leads to: a URL, or a host alone. */
export function originOf(to: string): string {
  return new URL(to.includes('://') ? to : `https://${to}`).origin
}
