// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import type { Offer } from '@portico/session'
import { type PlistDictionary, plistText } from './plist.js'
import { encryptedOffers, type SetUp } from './set-up.js'

/** Whose device it is. */
export interface ProfileUser {
  /** Their mail address. */
  readonly address: string
  /** What they type as their user name. */
  readonly userName: string
  /** How they are called, where the site knows it. */
  readonly fullName: string | undefined
}

export type ProfileKind = 'standard' | 'activesync'

/**
 * A configuration profile for Apple's devices: mail by IMAP or POP, calendars, contacts; ActiveSync for what these do not cover, or
 * alone if it is asked for. It holds no password: the device asks for it. Its names are made of the user's address and the site, so
 * that a profile that is installed again takes the place of the first.
 */
export function mobileconfigText(setUp: SetUp, user: ProfileUser, kind: ProfileKind): string {
  const payloads = (kind === 'activesync' ? [eas(setUp, user, NOTHING)] : standard(setUp, user)).filter(
    (payload) => payload !== undefined,
  )
  const { name, domain } = setUp
  return plistText({
    PayloadContent: payloads,
    PayloadDescription: `Sets up the account ${user.address} at ${name}.`,
    PayloadDisplayName: `${name} (${user.address})`,
    ...named(`${reversed(domain)}.${digestName(kind, user)}`, 'Configuration', user),
    PayloadOrganization: name,
    PayloadRemovalDisallowed: false,
  })
}

/** What the profile's other accounts give already. */
interface Covered {
  readonly mail: boolean
  readonly calendars: boolean
  readonly contacts: boolean
}

const NOTHING: Covered = { mail: false, calendars: false, contacts: false }

function standard(setUp: SetUp, user: ProfileUser): readonly (PlistDictionary | undefined)[] {
  const [mail, calendars, contacts] = [
    mailAccount(setUp, user),
    dav('CalDAV', setUp, user),
    dav('CardDAV', setUp, user),
  ]
  const covered = { mail: mail !== undefined, calendars: calendars !== undefined, contacts: contacts !== undefined }
  const rest = Object.values(covered).every(Boolean) ? undefined : eas(setUp, user, covered)
  return [mail, calendars, contacts, rest]
}

/** IMAP before POP; without a way to send, there is no account. */
function mailAccount(setUp: SetUp, user: ProfileUser): PlistDictionary | undefined {
  const [incoming, outgoing] = [best(setUp, 'imap4') ?? best(setUp, 'pop3'), best(setUp, 'smtp')]
  if (incoming === undefined || outgoing === undefined) return undefined
  return {
    ...payload(setUp, user, 'mail', 'com.apple.mail.managed'),
    EmailAccountDescription: setUp.name,
    EmailAccountName: user.fullName,
    EmailAccountType: incoming.protocol === 'imap4' ? 'EmailTypeIMAP' : 'EmailTypePOP',
    EmailAddress: user.address,
    ...mailServer('Incoming', incoming, user),
    ...mailServer('Outgoing', outgoing, user),
    OutgoingPasswordSameAsIncomingPassword: true,
  }
}

/** The best of a protocol that takes a password, which is what devices ask the user for. */
function best(setUp: SetUp, protocol: Offer['protocol']): Offer | undefined {
  return encryptedOffers(setUp, protocol).find(({ proofs }) => proofs.includes('password'))
}

/** `UseSSL` means TLS by whichever way the port has, STARTTLS too. */
function mailServer(direction: 'Incoming' | 'Outgoing', offer: Offer, user: ProfileUser): PlistDictionary {
  return {
    [`${direction}MailServerAuthentication`]: 'EmailAuthPassword',
    [`${direction}MailServerHostName`]: offer.host,
    [`${direction}MailServerPortNumber`]: offer.port,
    [`${direction}MailServerUseSSL`]: true,
    [`${direction}MailServerUsername`]: user.userName,
  }
}

/** Devices find the calendars and address books below the host by the names under `/.well-known/` (RFC 6764). */
function dav(type: 'CalDAV' | 'CardDAV', setUp: SetUp, user: ProfileUser): PlistDictionary | undefined {
  const address = setUp.web[type === 'CalDAV' ? 'caldav' : 'carddav']
  if (address === undefined) return undefined
  const { hostname, port } = new URL(address)
  return {
    ...payload(setUp, user, type.toLowerCase(), `com.apple.${type.toLowerCase()}.account`),
    [`${type}AccountDescription`]: setUp.name,
    [`${type}HostName`]: hostname,
    [`${type}Port`]: Number(port || 443),
    [`${type}UseSSL`]: true,
    [`${type}Username`]: user.userName,
  }
}

function eas(setUp: SetUp, user: ProfileUser, covered: Covered): PlistDictionary | undefined {
  const address = setUp.web.activesync
  if (address === undefined) return undefined
  return {
    ...payload(setUp, user, 'activesync', 'com.apple.eas.account'),
    EmailAddress: user.address,
    Host: new URL(address).host,
    SSL: true,
    UserName: user.userName,
    EnableMail: !covered.mail,
    EnableCalendars: !covered.calendars,
    EnableReminders: !covered.calendars,
    EnableContacts: !covered.contacts,
  }
}

function payload({ domain, name }: SetUp, user: ProfileUser, part: string, type: string): PlistDictionary {
  const identifier = `${reversed(domain)}.${digestName(part, user)}`
  return { PayloadDisplayName: name, ...named(identifier, type, user) }
}

/** What a device tells payloads apart by. */
function named(identifier: string, type: string, user: ProfileUser): PlistDictionary {
  return {
    PayloadIdentifier: identifier,
    PayloadType: type,
    PayloadUUID: uuidOf(`${identifier} ${user.address}`),
    PayloadVersion: 1,
  }
}

/** `example.org` → `org.example`: identifiers are written that way round. */
function reversed(domain: string): string {
  return domain.split('.').reverse().join('.')
}

/** A part of the profile of one user: two of them may be on one device. */
function digestName(part: string, { address }: ProfileUser): string {
  const digest = createHash('sha256').update(address.toLowerCase()).digest('hex')
  return `portico.${part}.${digest.slice(0, 16)}`
}

/** Always the same for the same text: version 8, whose octets are the maker's own affair (RFC 9562 section 5.8). */
function uuidOf(text: string): string {
  const octets = createHash('sha256').update(text.toLowerCase()).digest().subarray(0, 16)
  octets.writeUInt8((octets.readUInt8(6) & 0x0f) | 0x80, 6)
  octets.writeUInt8((octets.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = octets.toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5').toUpperCase()
}
