// SPDX-License-Identifier: MIT
import type { Offer } from '@portico/session'
import { addressesOf } from './addresses.js'
import { ENCRYPTION } from './encryption-words.js'
import type { HttpPlaces } from './http-places.js'
import { type Content, element, elements } from './markup.js'
import type { ClientSettings } from './settings.js'

/** One way to a mail protocol or to web mail. */
type Connection = Readonly<Record<string, string | undefined>>

/** What a setting is: text, a list of connections to mail protocols, or of addresses of web mail. */
export type SettingValue =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'protocols' | 'web'; readonly connections: readonly Connection[] }

type Finder = (settings: ClientSettings) => string | readonly Offer[] | readonly Connection[] | undefined

/** The settings that are known, by their names ([MS-OXWSADISC] section 3.1.4.3.4.12). */
const FINDERS: ReadonlyMap<string, Finder> = new Map<string, Finder>([
  ['UserDisplayName', ({ displayName }) => displayName],
  ['UserDN', ({ legacyDn }) => legacyDn],
  ['AutoDiscoverSMTPAddress', ({ address }) => address],
  ['InternalRpcClientServer', ({ mailboxId }) => mailboxId],
  [
    'MapiHttpEnabled',
    ({ internal, external }) => ((internal ?? external)?.directories.has('mapi') === true ? 'True' : 'False'),
  ],
  ['InternalMailboxServer', ({ internal, external, mailboxId }) => has(internal ?? external, 'rpc', mailboxId)],
  ['PublicFolderInformation', ({ publicFolders }) => publicFolders],
  ['InternalEwsUrl', inside((addresses) => addresses.ews)],
  ['ExternalEwsUrl', outside((addresses) => addresses.ews)],
  ['InternalOABUrl', inside((addresses) => addresses.oab)],
  ['ExternalOABUrl', outside((addresses) => addresses.oab)],
  ['InternalEcpUrl', inside((addresses) => addresses.ecp)],
  ['ExternalEcpUrl', outside((addresses) => addresses.ecp)],
  ['ExternalMailboxServer', ({ external }) => has(external, 'rpc', external?.host)],
  ['ExternalMailboxServerRequiresSSL', ({ external }) => has(external, 'rpc', 'True')],
  ['ExternalMailboxServerAuthenticationMethods', ({ external }) => methodsOf(external, 'rpc')],
  ['InternalWebClientUrls', ({ internal, mailboxId }) => webOf(internal, mailboxId)],
  ['ExternalWebClientUrls', ({ external, mailboxId }) => webOf(external, mailboxId)],
  ['ExternalImap4Connections', offered('imap4')],
  ['InternalImap4Connections', offered('imap4')],
  ['ExternalPop3Connections', offered('pop3')],
  ['InternalPop3Connections', offered('pop3')],
  ['ExternalSmtpConnections', offered('smtp')],
  ['InternalSmtpConnections', offered('smtp')],
  ['EwsSupportedSchemas', ({ external, internal }) => has(internal ?? external, 'ews', EWS_SCHEMAS)],
])

/** Settings that other servers have. That they are not here is another answer than that there is no such setting. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'ActiveDirectoryServer',
  'AlternateMailboxes',
  'CasVersion',
  'CrossOrganizationSharingEnabled',
  'DeploymentId',
  'EwsPartnerUrl',
  'ExternalEwsVersion',
  'ExternalUMUrl',
  'GroupingInformation',
  'InternalUMUrl',
  'MailboxDN',
  'MailboxVersion',
  'MobileMailboxPolicy',
  'PublicFolderServer',
  'SPMySiteHostURL',
  'SiteMailboxCreationURL',
  'UserMSOnline',
])

/** What every server of these years takes; the newest ones are the backend's to announce. */
const EWS_SCHEMAS = 'Exchange2007, Exchange2007_SP1, Exchange2010, Exchange2010_SP1, Exchange2010_SP2, Exchange2013'

/** The value of a setting: `unknown` for a name that is none of them, `undefined` where this user has none. */
export function settingOf(settings: ClientSettings, name: string): SettingValue | 'unknown' | undefined {
  const finder = FINDERS.get(name)
  if (finder === undefined) return ELSEWHERE.has(name) ? undefined : 'unknown'
  const found = finder(settings)
  if (typeof found === 'string') return { kind: 'text', text: found }
  if (found === undefined || found.length === 0) return undefined
  if (name.endsWith('WebClientUrls')) return { kind: 'web', connections: found as readonly Connection[] }
  return { kind: 'protocols', connections: (found as readonly Offer[]).map(connectionOf) }
}

/** One setting, as it stands in an answer. */
export function settingElement(name: string, value: SettingValue): Content {
  if (value.kind === 'text') {
    return element('UserSetting', elements({ Name: name, Value: value.text }), { 'i:type': 'StringSetting' })
  }
  const [list, item, type] =
    value.kind === 'web'
      ? (['WebClientUrls', 'WebClientUrl', 'WebClientUrlCollectionSetting'] as const)
      : (['ProtocolConnections', 'ProtocolConnection', 'ProtocolConnectionCollectionSetting'] as const)
  const entries = value.connections.map((connection) => element(item, elements(connection)))
  return element('UserSetting', [element('Name', name), element(list, entries)], { 'i:type': type })
}

type Picked = (addresses: ReturnType<typeof addressesOf>) => string | undefined

function inside(pick: Picked): Finder {
  return ({ internal, mailboxId }) => internal && pick(addressesOf(internal, mailboxId))
}

function outside(pick: Picked): Finder {
  return ({ external, mailboxId }) => external && pick(addressesOf(external, mailboxId))
}

function offered(protocol: Offer['protocol']): Finder {
  return ({ offers }) => offers.filter((offer) => offer.protocol === protocol)
}

function connectionOf({ host, port, tls }: Offer): Connection {
  return { EncryptionMethod: ENCRYPTION[tls], Hostname: host, Port: String(port) }
}

function has(places: HttpPlaces | undefined, preset: 'rpc' | 'ews', value: string | undefined): string | undefined {
  return places?.directories.has(preset) === true ? value : undefined
}

const METHODS = { negotiate: 'Negotiate', ntlm: 'Ntlm', basic: 'Basic', bearer: 'OAuth', forms: 'Fba' } as const

function methodsOf(places: HttpPlaces | undefined, preset: 'rpc' | 'owa'): string | undefined {
  const schemes = places?.directories.get(preset)?.schemes ?? []
  return schemes.length === 0 ? undefined : schemes.map((scheme) => METHODS[scheme]).join(', ')
}

function webOf(places: HttpPlaces | undefined, mailboxId: string): readonly Connection[] {
  const url = places && addressesOf(places, mailboxId).owa
  return url === undefined ? [] : [{ AuthenticationMethods: methodsOf(places, 'owa') ?? '', Url: url }]
}
