// SPDX-License-Identifier: MIT
import type { Offer, OfferedProof } from '@portico/session'
import { type Content, document, element, elements } from './markup.js'
import { encryptedOffers, type SetUp } from './set-up.js'

/** What Thunderbird and its kin call the protocols. */
const TYPES: Readonly<Record<string, string>> = { imap4: 'imap', pop3: 'pop3', smtp: 'smtp' }

const SOCKETS: Readonly<Record<Offer['tls'], string>> = { implicit: 'SSL', starttls: 'STARTTLS', none: 'plain' }

/**
 * In the order of preference: clients take the first that they know. A password comes before what asks for a ticket, for a client
 * cannot tell beforehand whether it will have one.
 */
const METHODS: readonly (readonly [OfferedProof, string])[] = [
  ['token', 'OAuth2'],
  ['password', 'password-cleartext'],
  ['kerberos', 'GSSAPI'],
  ['ntlm', 'NTLM'],
]

/**
 * The document `config-v1.1.xml` (draft-ietf-mailmaint-autoconfig). The client puts the user in place of the variables, so that
 * it says nothing of anybody: one text for each domain.
 */
export function autoconfigText(setUp: SetUp): string {
  const provider = element('emailProvider', providerOf(setUp), { id: setUp.domain })
  const others = [dav('addressBook', 'carddav', setUp), dav('calendar', 'caldav', setUp), webMail(setUp)]
  return document(element('clientConfig', [provider, ...others], { version: '1.1' }))
}

function providerOf(setUp: SetUp): Content {
  const { domain, name } = setUp
  const incoming = [...encryptedOffers(setUp, 'imap4'), ...encryptedOffers(setUp, 'pop3')]
  return [
    elements({ domain, displayName: name, displayShortName: name }),
    ...incoming.map((offer) => server('incomingServer', offer, setUp)),
    ...encryptedOffers(setUp, 'smtp').map((offer) => server('outgoingServer', offer, setUp)),
    documentation(setUp),
  ]
}

function server(name: string, { protocol, host, port, tls, proofs }: Offer, setUp: SetUp): Content {
  const methods = METHODS.filter(([proof]) => proofs.includes(proof))
  const content = [
    elements({ hostname: host, port: String(port), socketType: SOCKETS[tls] }),
    ...methods.map(([, method]) => element('authentication', method)),
    element('username', variable(setUp)),
  ]
  return element(name, content, { type: TYPES[protocol] })
}

function variable({ userName }: SetUp): string {
  return userName === 'address' ? '%EMAILADDRESS%' : '%EMAILLOCALPART%'
}

/** Where a person reads on. */
function documentation({ web: { owa }, name }: SetUp): Content {
  if (owa === undefined) return undefined
  const text = element('descr', `Sign in to ${name} in a browser`, { lang: 'en' })
  return element('documentation', text, { url: owa })
}

function dav(name: string, type: 'caldav' | 'carddav', setUp: SetUp): Content {
  const serverURL = setUp.web[type]
  if (serverURL === undefined) return undefined
  return element(name, elements({ username: variable(setUp), authentication: 'http-basic', serverURL }), { type })
}

function webMail({ web: { owa } }: SetUp): Content {
  return owa === undefined ? undefined : element('webMail', element('loginPage', undefined, { url: owa }))
}
