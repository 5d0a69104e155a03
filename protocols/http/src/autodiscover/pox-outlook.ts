// SPDX-License-Identifier: MIT
import type { Scheme } from '../directory/presets.js'
import { type Addresses, addressesOf } from './addresses.js'
import { ENCRYPTION } from './encryption-words.js'
import type { HttpPlaces } from './http-places.js'
import { type Content, element, elements, type Markup } from './markup.js'
import { answer } from './pox-words.js'
import type { ClientSettings } from './settings.js'

/** What a client says that it understands, in fields of its request. */
export interface Abilities {
  /** X-MapiHttpCapability: MAPI over HTTP. */
  readonly mapiHttp: boolean
  /** X-ClientCanHandle has `Negotiate`: the word for it is told. */
  readonly negotiate: boolean
  /** X-ClientCanHandle has `ExHttpInfo`: EXHTTP instead of EXCH and EXPR. */
  readonly exHttp: boolean
}

/** The settings in the outlook schema ([MS-OXDSCLI] section 2.2.4.1). */
export function outlookSettings(settings: ClientSettings, abilities: Abilities): Markup {
  return outlookAnswer('settings', {
    user: elements({
      DisplayName: settings.displayName,
      LegacyDN: settings.legacyDn,
      AutoDiscoverSMTPAddress: settings.address,
    }),
    account: [...protocolBlocks(settings, abilities), publicFolders(settings)],
  })
}

/** That the question is to be asked for another address. */
export function outlookRedirectAddress(address: string): Markup {
  return outlookAnswer('redirectAddr', { account: [element('RedirectAddr', address)] })
}

/** That it is to be asked at another server. */
export function outlookRedirectUrl(url: string): Markup {
  return outlookAnswer('redirectUrl', { account: [element('RedirectUrl', url)] })
}

function outlookAnswer(action: string, { user, account }: { user?: Content; account: readonly Content[] }): Markup {
  const content = [elements({ AccountType: 'email', Action: action }), ...account]
  return answer([user === undefined ? undefined : element('User', user), element('Account', content)], 'outlook')
}

/** Whether there is anything to tell. */
export function hasProtocols({ offers, external }: ClientSettings): boolean {
  return (
    offers.length > 0 ||
    (external !== undefined && [...external.directories.keys()].some((one) => one !== 'autodiscover'))
  )
}

function protocolBlocks(settings: ClientSettings, abilities: Abilities): readonly Content[] {
  const { internal, external, mailboxId } = settings
  return [
    abilities.mapiHttp ? mapiHttp(settings) : undefined,
    ...(abilities.exHttp
      ? [exchange('EXHTTP', internal, settings, abilities), exchange('EXHTTP', external, settings, abilities)]
      : [exchange('EXCH', internal, settings, abilities), exchange('EXPR', external, settings, abilities)]),
    webBlock(external, internal, mailboxId),
    ...(['imap4', 'pop3', 'smtp'] as const).map((name) => mailBlock(name, settings)),
  ]
}

function mapiHttp({ internal, external, mailboxId }: ClientSettings): Content {
  const inner = internal && addressesOf(internal, mailboxId)
  const outer = external && addressesOf(external, mailboxId)
  const store = { InternalUrl: inner?.mailStore, ExternalUrl: outer?.mailStore }
  if (store.InternalUrl === undefined && store.ExternalUrl === undefined) return undefined
  const book = { InternalUrl: inner?.addressBook, ExternalUrl: outer?.addressBook }
  const content = elements({ MailStore: elements(store), AddressBook: elements(book) })
  return element('Protocol', content, { Type: 'mapiHttp', Version: '1' })
}

type ExchangeType = 'EXCH' | 'EXPR' | 'EXHTTP'

/** The addresses of Exchange's services under one name, with the RPC proxy where there is one. */
function exchange(
  type: ExchangeType,
  places: HttpPlaces | undefined,
  { mailboxId }: ClientSettings,
  abilities: Abilities,
): Content {
  if (places === undefined) return undefined
  const { ews, oab, ecp } = addressesOf(places, mailboxId)
  const rpc = places.directories.get('rpc')
  if (rpc === undefined && ews === undefined && oab === undefined) return undefined
  const told = rpc ?? places.directories.get('ews')
  return element(
    'Protocol',
    elements({
      Type: type,
      // Outlook asks the RPC proxy for the mailbox, which it knows as a server.
      Server: rpc === undefined ? undefined : type === 'EXCH' ? mailboxId : places.host,
      SSL: type === 'EXCH' ? undefined : 'On',
      AuthPackage: authPackage(told?.schemes ?? [], abilities),
      ASUrl: ews,
      EwsUrl: ews,
      OOFUrl: ews,
      OABUrl: oab,
      EcpUrl: ecp,
    }),
  )
}

/** The one way of signing in that is told, as the client has a word for it. */
function authPackage(schemes: readonly Scheme[], { negotiate }: Abilities): string | undefined {
  if (negotiate && schemes.includes('negotiate')) return 'negotiate'
  if (schemes.includes('ntlm')) return 'ntlm'
  if (schemes.includes('basic')) return 'basic'
  return schemes.includes('negotiate') ? 'kerb' : undefined
}

function webBlock(external: HttpPlaces | undefined, internal: HttpPlaces | undefined, mailboxId: string): Content {
  const inside = webSide(internal, mailboxId, 'EXCH')
  const outside = webSide(external, mailboxId, 'EXPR')
  if (inside === undefined && outside === undefined) return undefined
  const sides = { Internal: inside, External: outside }
  return element('Protocol', elements({ Type: 'WEB', ...sides }))
}

function webSide(places: HttpPlaces | undefined, mailboxId: string, type: ExchangeType): Content {
  if (places === undefined) return undefined
  const { owa, ews }: Addresses = addressesOf(places, mailboxId)
  if (owa === undefined) return undefined
  const schemes = places.directories.get('owa')?.schemes ?? []
  const method = schemes.map((scheme) => WEB_METHODS[scheme]).join(', ')
  return [
    element('OWAUrl', owa, { AuthenticationMethod: method === '' ? undefined : method }),
    ews === undefined ? undefined : element('Protocol', elements({ Type: type, ASUrl: ews })),
  ]
}

const WEB_METHODS: Readonly<Record<Scheme, string>> = {
  forms: 'Fba',
  basic: 'Basic',
  ntlm: 'Ntlm',
  negotiate: 'WindowsIntegrated',
  bearer: 'OAuth',
}

const MAIL_TYPES = { imap4: 'IMAP', pop3: 'POP3', smtp: 'SMTP' } as const

function mailBlock(protocol: keyof typeof MAIL_TYPES, { offers, userName }: ClientSettings): Content {
  const offer = offers.find((one) => one.protocol === protocol)
  if (offer === undefined) return undefined
  return element(
    'Protocol',
    elements({
      Type: MAIL_TYPES[protocol],
      Server: offer.host,
      Port: String(offer.port),
      LoginName: userName,
      DomainRequired: 'off',
      SPA: 'off',
      SSL: offer.tls === 'implicit' ? 'on' : 'off',
      Encryption: ENCRYPTION[offer.tls],
      AuthRequired: 'on',
      ...(protocol === 'smtp' ? { UsePOPAuth: 'off', SMTPLast: 'off' } : {}),
    }),
  )
}

function publicFolders({ publicFolders: address }: ClientSettings): Content {
  return address === undefined ? undefined : element('PublicFolderInformation', element('SmtpAddress', address))
}
