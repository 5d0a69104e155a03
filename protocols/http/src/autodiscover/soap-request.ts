// SPDX-License-Identifier: MIT
import { NAMESPACES, OPERATIONS, type Operation } from './soap-words.js'
import { childOf, readXml, type XmlElement } from './xml.js'

/** A question in SOAP. */
export interface SoapRequest {
  readonly kind: 'asked'
  readonly operation: Operation
  readonly version: 'soap' | 'soap12'
  /** Addresses of users, or names of domains, as they are written. */
  readonly subjects: readonly string[]
  /** Names of settings, each once. */
  readonly settings: readonly string[]
}

const { autodiscover } = NAMESPACES

const PARTS = {
  GetUserSettings: { list: 'Users', item: 'User', name: 'Mailbox' },
  GetDomainSettings: { list: 'Domains', item: 'Domain', name: undefined },
} as const

/** Reads a question ([MS-OXWSADISC] section 3.1.4). Any octets give an answer. */
export function readSoapRequest(body: Uint8Array): SoapRequest | { readonly kind: 'bad'; readonly why: string } {
  const root = readXml(body)
  if (root === undefined) return bad('The request cannot be read.')
  const version = (['soap', 'soap12'] as const).find((one) => NAMESPACES[one] === root.namespace)
  if (version === undefined || root.name !== 'Envelope') return bad('The request is no SOAP message.')
  const message = childOf(root, NAMESPACES[version], 'Body')?.children[0]
  const operation = OPERATIONS.find((one) => message?.name === `${one}RequestMessage`)
  if (message?.namespace !== autodiscover || operation === undefined) return bad('The operation is not supported.')
  const request = childOf(message, autodiscover, 'Request')
  const { list, item, name } = PARTS[operation]
  const items = childrenOf(childOf(request, autodiscover, list), item)
  const settings = childrenOf(childOf(request, autodiscover, 'RequestedSettings'), 'Setting').map(({ text }) => text)
  return {
    kind: 'asked',
    operation,
    version,
    subjects: items.map((each) => (name === undefined ? each.text : (childOf(each, autodiscover, name)?.text ?? ''))),
    settings: [...new Set(settings)],
  }
}

function childrenOf(parent: XmlElement | undefined, name: string): readonly XmlElement[] {
  return (parent?.children ?? []).filter((child) => child.name === name && child.namespace === autodiscover)
}

function bad(why: string): { readonly kind: 'bad'; readonly why: string } {
  return { kind: 'bad', why }
}
