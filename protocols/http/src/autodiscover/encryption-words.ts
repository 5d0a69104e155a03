// SPDX-License-Identifier: MIT
import type { Offer } from '@portico/session'

/** What both forms for Outlook call the ways to encrypt ([MS-OXDSCLI] and [MS-OXWSADISC] have the same words). */
export const ENCRYPTION: Readonly<Record<Offer['tls'], string>> = { implicit: 'SSL', starttls: 'TLS', none: 'None' }
