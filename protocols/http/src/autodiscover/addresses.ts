// SPDX-License-Identifier: MIT
import type { HttpPlaces } from './http-places.js'

/** The addresses of what clients ask for within the directories; `undefined` where the directory is not told of. */
export interface Addresses {
  readonly ews: string | undefined
  readonly oab: string | undefined
  readonly ecp: string | undefined
  readonly owa: string | undefined
  readonly activeSync: string | undefined
  readonly mailStore: string | undefined
  readonly addressBook: string | undefined
}

/** The addresses of one name of this server; `mailboxId` stands in those of MAPI/HTTP ([MS-OXCMAPIHTTP] section 2.2.2). */
export function addressesOf({ directories }: HttpPlaces, mailboxId: string): Addresses {
  const at = (preset: Parameters<typeof directories.get>[0], path: string): string | undefined => {
    const place = directories.get(preset)
    return place && place.url + path
  }
  const mailbox = `?MailboxId=${encodeURIComponent(mailboxId).replace('%40', '@')}`
  return {
    ews: at('ews', '/Exchange.asmx'),
    oab: at('oab', '/'),
    ecp: at('ecp', '/'),
    owa: at('owa', '/'),
    activeSync: at('activesync', ''),
    mailStore: at('mapi', `/emsmdb/${mailbox}`),
    addressBook: at('mapi', `/nspi/${mailbox}`),
  }
}
