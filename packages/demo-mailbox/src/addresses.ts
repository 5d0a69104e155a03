// SPDX-License-Identifier: MIT

/** One mailbox of an address list. */
export interface MailAddress {
  readonly name: string | undefined
  readonly local: string
  readonly domain: string
}

/** Reads `Name <local@domain>, …` (RFC 5322 section 3.4, without groups and comments). */
export function parseAddresses(text: string): readonly MailAddress[] {
  const items = text.match(/(?:"(?:\\.|[^"\\])*"|[^,"])+/g) ?? []
  return items.flatMap((item) => {
    const match = /^\s*(?:(.*?)\s*<([^<>]*)>|(\S+))\s*$/s.exec(item)
    const address = match?.[2] ?? match?.[3]
    if (address === undefined) return []
    const at = address.lastIndexOf('@')
    const name = match?.[1]?.replace(/^"(.*)"$/s, '$1').replace(/\\(.)/g, '$1')
    return [
      {
        name: name === undefined || name === '' ? undefined : name,
        local: at < 0 ? address : address.slice(0, at),
        domain: at < 0 ? '' : address.slice(at + 1),
      },
    ]
  })
}
