// SPDX-License-Identifier: MIT
import { type Content, element, elements, type Markup } from './markup.js'

/** The namespaces of the SOAP form ([MS-OXWSADISC] section 2.2, SOAP 1.1, WS-Addressing). */
export const NAMESPACES = {
  soap: 'http://schemas.xmlsoap.org/soap/envelope/',
  soap12: 'http://www.w3.org/2003/05/soap-envelope',
  addressing: 'http://www.w3.org/2005/08/addressing',
  autodiscover: 'http://schemas.microsoft.com/exchange/2010/Autodiscover',
  instance: 'http://www.w3.org/2001/XMLSchema-instance',
} as const

const ACTIONS = `${NAMESPACES.autodiscover}/Autodiscover`

/** The operations that are answered. */
export const OPERATIONS = ['GetUserSettings', 'GetDomainSettings'] as const
export type Operation = (typeof OPERATIONS)[number]

/** What goes wrong with a question as a whole, or with one user, domain or setting of it. */
export type SoapError =
  | 'NoError'
  | 'RedirectAddress'
  | 'RedirectUrl'
  | 'InvalidUser'
  | 'InvalidRequest'
  | 'InvalidSetting'
  | 'SettingIsNotAvailable'
  | 'ServerBusy'
  | 'InvalidDomain'

const MESSAGES: Readonly<Record<SoapError, string>> = {
  NoError: 'No error.',
  RedirectAddress: 'Redirection address.',
  RedirectUrl: 'Redirection URL.',
  InvalidUser: 'Invalid user.',
  InvalidRequest: 'Invalid request.',
  InvalidSetting: 'Invalid setting.',
  SettingIsNotAvailable: 'The setting is not available.',
  ServerBusy: 'The server is busy.',
  InvalidDomain: 'Invalid domain.',
}

/** Code and message of an error, in the namespace of what they stand in. */
export function errorElements(error: SoapError): Content {
  return elements({ ErrorCode: error, ErrorMessage: MESSAGES[error] })
}

/** An element that is there and has no value. */
export function nil(name: string): Markup {
  return element(name, undefined, { 'i:nil': 'true' })
}

/** The answer to an operation, in the version of SOAP that was asked in. */
export function envelope(operation: Operation, response: Content, version: 'soap' | 'soap12'): Markup {
  const header = [
    element('a:Action', `${ACTIONS}/${operation}Response`, { 's:mustUnderstand': '1' }),
    element(
      'h:ServerVersionInfo',
      elements({
        'h:MajorVersion': '15',
        'h:MinorVersion': '0',
        'h:MajorBuildNumber': '0',
        'h:MinorBuildNumber': '0',
        'h:Version': 'Exchange2013',
      }),
      {
        'xmlns:h': NAMESPACES.autodiscover,
      },
    ),
  ]
  const message = element(
    `${operation}ResponseMessage`,
    element('Response', response, { 'xmlns:i': NAMESPACES.instance }),
    {
      xmlns: NAMESPACES.autodiscover,
    },
  )
  return envelopeOf([element('s:Header', header), element('s:Body', message)], version)
}

/** A fault (SOAP 1.1 section 4.4): the question itself cannot be taken. */
export function fault(reason: string): Markup {
  const content = elements({ faultcode: 's:Client', faultstring: reason })
  return envelopeOf(element('s:Body', element('s:Fault', content)), 'soap')
}

function envelopeOf(content: Content, version: 'soap' | 'soap12'): Markup {
  return element('s:Envelope', content, { 'xmlns:s': NAMESPACES[version], 'xmlns:a': NAMESPACES.addressing })
}
