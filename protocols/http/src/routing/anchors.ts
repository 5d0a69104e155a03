// SPDX-License-Identifier: MIT
import type { Fields } from '../codec/fields.js'
import { readRpcServer } from '../outlook/rpc-server.js'
import { decodeEscapes, readParameters } from './query.js'

/** Where a request may name the mailbox that it is about, the most telling first. */
export const ANCHOR_KINDS = ['path', 'mailbox-id', 'rpc-server', 'user', 'public-folder', 'header'] as const

/**
 * - `path`: explicit logon, the first segment below the mount (`/owa/user@example.com/`);
 * - `mailbox-id`: `MailboxId=` in the query ([MS-OXCMAPIHTTP] section 2.2.2);
 * - `rpc-server`: what Outlook Anywhere asks for as its server ([MS-RPCH] section 2.2.2), `?guid@example.com:6001`;
 * - `user`: the user name in an ActiveSync query ([MS-ASHTTP] section 2.2.1.1.1);
 * - `public-folder`: the field X-PublicFolderMailbox;
 * - `header`: the field X-AnchorMailbox.
 */
export type AnchorKind = (typeof ANCHOR_KINDS)[number]

/** A mailbox that a client names. A hint: nothing is known of it yet, and no host is ever made of it. */
export interface Anchor {
  readonly from: AnchorKind
  /** An address, `guid@domain`, or for `user` any form of a user name. */
  readonly mailbox: string
}

/** The parts of a request that can hold an anchor. */
export interface AnchorPlaces {
  /** The path below the mount: empty, or beginning with a slash. */
  readonly rest: string
  /** With its question mark, or empty. */
  readonly query: string
  readonly fields: Fields
  /** The user that an ActiveSync query names. */
  readonly user: string | undefined
}

/** The first anchor of these kinds, in the order of {@link ANCHOR_KINDS}. What is no mailbox's name is no anchor. */
export function anchorOf(kinds: readonly AnchorKind[], places: AnchorPlaces): Anchor | undefined {
  for (const from of ANCHOR_KINDS) {
    if (!kinds.includes(from)) continue
    const mailbox = FINDERS[from](places)
    if (mailbox !== undefined) return { from, mailbox }
  }
  return undefined
}

const FINDERS: Readonly<Record<AnchorKind, (places: AnchorPlaces) => string | undefined>> = {
  path: ({ rest }) => explicitLogon(rest),
  'mailbox-id': ({ query }) => mailboxName(readParameters(query, ['mailboxid'])?.mailboxid),
  'rpc-server': ({ query }) => mailboxName(readRpcServer(query)?.server),
  user: ({ user }) => userName(user),
  'public-folder': ({ fields }) => mailboxName(onlyField(fields, 'x-publicfoldermailbox')),
  header: ({ fields }) => mailboxName(onlyField(fields, 'x-anchormailbox')?.replace(/^(?:smtp|upn):/i, '')),
}

function explicitLogon(rest: string): string | undefined {
  const end = rest.indexOf('/', 1)
  const segment = end < 0 ? rest.slice(1) : rest.slice(1, end)
  return mailboxName(decodeEscapes(segment))
}

/** Octets of a field that are not UTF-8 name nobody. A field that is there twice may mean two mailboxes. */
function onlyField(fields: Fields, lower: string): string | undefined {
  const found = fields.only(lower)
  return found === undefined ? undefined : Buffer.from(found, 'latin1').toString('utf8')
}

/** A dot-atom (RFC 5322 section 3.2.3, RFC 6532) without the characters by which paths, queries and hosts are taken apart. */
const LOCAL = /^[\p{L}\p{M}\p{N}!$'*+=^_`{|}~.-]{1,64}$/u
const DOMAIN =
  /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{N}])?(?:\.[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{N}])?)*$/u

/** The text if it is one address and nothing else. */
function mailboxName(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 254) return undefined
  const at = text.indexOf('@')
  if (at < 0 || !LOCAL.test(text.slice(0, at)) || !DOMAIN.test(text.slice(at + 1))) return undefined
  return text
}

/** The text if it is an address, `alias` or `domain\alias`; the forms that ask for a second mailbox are none. */
function userName(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 254) return undefined
  const backslash = text.indexOf('\\')
  const alias = text.slice(backslash + 1)
  if (backslash >= 0 && !DOMAIN.test(text.slice(0, backslash))) return undefined
  return LOCAL.test(alias) || (backslash < 0 && mailboxName(text) !== undefined) ? text : undefined
}
