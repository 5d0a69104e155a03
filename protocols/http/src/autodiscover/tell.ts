// SPDX-License-Identifier: MIT
import type { MailboxLocation, ProtocolName } from '@portico/base'
import { byRendezvous, type ClientKind, type Decision } from '@portico/routing'
import type { Offer, Session } from '@portico/session'
import type { Directory } from '../directory/schema.js'
import { originOf } from '../elsewhere/origin.js'
import { mayGoOn } from '../elsewhere/redirect-budget.js'
import { type Located, locate } from '../routing/route-for.js'
import type { Identified } from '../sign-in/sign-in.js'
import type { Asked } from './answer.js'
import { isAnswering } from './answering.js'
import { placesOf } from './places-of.js'
import type { ClientSettings, Told } from './settings.js'
import { type AskedName, addressIn, type Subject, subjectOf } from './subject.js'

type By = Asked & { readonly signedIn: Identified }

/**
 * What somebody who has signed in is told about an address. In a deferred sign-in nobody is proved to be anybody: then it is what
 * everybody may know, without where the mailbox is and what the account permits.
 */
export async function tell(asked: By, name: AskedName): Promise<Told> {
  const { session } = asked.connection
  const { principal, deferred } = asked.signedIn
  const { authenticator, publication } = session.services
  const subject = subjectOf(principal, name, { publication, authenticator: deferred ? NO_ACCOUNTS : authenticator })
  if (subject === undefined || (deferred && !subject.isOwn)) {
    const { address, legacyDn } = name
    session.services.log.info('settings not told', {
      session: session.id,
      user: principal.user,
      asked: address ?? legacyDn,
    })
    return { kind: 'nobody' }
  }
  if (deferred) return settle(asked, subject, undefined)
  const elsewhere = addressIn(subject.fields, 'redirect_address')
  if (elsewhere !== undefined && elsewhere.toLowerCase() !== name.address?.toLowerCase()) {
    return { kind: 'redirect-address', address: elsewhere }
  }
  const located = await locate(session, subject.owner)
  if (located === 'unavailable') return { kind: 'unavailable' }
  // A mailbox of somebody else that does not exist is treated as one that may not be asked about.
  if (located === 'none' && !subject.isOwn) return { kind: 'nobody' }
  return settle(asked, subject, located)
}

/** For who has proved nothing: no source is asked which accounts there are, or the answer would tell. */
const NO_ACCOUNTS = { accountOf: (name: string) => name, mayActFor: () => false }

/** `located` is absent where it must not count. */
async function settle(asked: By, subject: Subject, located: Located | undefined): Promise<Told> {
  const { session } = asked.connection
  const decide = decider(session, subject)
  const away = located === undefined || located === 'none' ? undefined : decide('http', located, 'autodiscover')
  const reaches = reachedFor(located, decide)
  const external = placesOf(asked.connection, [], reaches)
  if (away?.kind === 'redirect') {
    const origin = originOf(away.to)
    // A site that leads to itself would be asked for ever, and so would two that lead to each other.
    if (origin !== external?.origin) {
      if (await mayGoOn(session, asked.request, asked.signedIn.principal.user)) return { kind: 'redirect-url', origin }
      session.services.log.warn('sent to another site too often', { session: session.id, user: subject.owner.user })
      return { kind: 'unavailable' }
    }
  }
  const { networks, services } = session
  const inside = services.publication.isInside(networks)
  const settings: ClientSettings = {
    ...identityOf(asked, subject),
    offers: await offersFor(asked, located, decide),
    external,
    internal: inside ? placesOf(asked.connection, networks, reaches) : undefined,
  }
  return { kind: 'settings', settings }
}

type Decide = (protocol: ProtocolName, location: MailboxLocation, kind?: ClientKind) => Decision

function decider({ services, networks, hops }: Session, { owner }: Subject): Decide {
  return (protocol, location, kind) =>
    services.router.decide({
      location,
      protocol,
      networks,
      states: services.states(),
      hops,
      spreadKey: owner.user,
      client: { encrypted: true, ...(kind && { kind }) },
    })
}

type Identity = Pick<
  ClientSettings,
  'displayName' | 'address' | 'userName' | 'mailboxId' | 'legacyDn' | 'publicFolders'
>

function identityOf({ connection, signedIn }: By, { address, owner, fields, isOwn }: Subject): Identity {
  const { publication } = connection.session.services
  const domain = address.slice(address.lastIndexOf('@') + 1)
  const guid = fields.get('mailbox_guid')
  const [name = ''] = (fields.get('gecos') ?? '').split(',')
  const { user } = isOwn ? signedIn.principal : owner
  return {
    displayName: name === '' ? address : name,
    address,
    userName: user,
    mailboxId: guid === undefined || guid === '' ? address : `${guid}@${domain}`,
    legacyDn: fields.get('legacy_dn'),
    publicFolders: isOwn ? publicFoldersOf(fields, user, publication.publicFolders) : undefined,
  }
}

/** The account's own word, which may be that there are none; else one of all, the same for the user each time. */
function publicFoldersOf(fields: Subject['fields'], user: string, all: readonly string[]): string | undefined {
  if (fields.has('public_folders')) return addressIn(fields, 'public_folders')
  return byRendezvous(
    all.map((id) => ({ id })),
    user,
  )[0]?.id
}

/** Whether this mailbox is reached in a directory. */
function reachedFor(located: Located | undefined, decide: Decide): (directory: Directory) => boolean {
  return (directory) => {
    if (located === undefined || isAnswering(directory)) return true
    const place = directory.group === undefined ? located : { group: directory.group, source: 'directory' }
    return place !== 'none' && decide('http', place).kind === 'proxy'
  }
}

/** The mail protocols that the user may use from here, and that the mailbox is reached by; at another name where its site has one. */
async function offersFor(
  { connection, signedIn }: By,
  located: Located | undefined,
  decide: Decide,
): Promise<readonly Offer[]> {
  const { session, context } = connection
  const { publication, states, authenticator } = session.services
  const all = publication.offersFor({ networks: session.networks, states: states() })
  const open: Offer[] = []
  for (const offer of all) {
    const { protocol } = offer
    if (protocol === session.protocol) continue
    const there =
      located === undefined ? offer : located === 'none' ? undefined : placed(offer, decide(protocol, located))
    if (there === undefined) continue
    if (located !== undefined && !(await authenticator.mayUse(signedIn.principal, protocol, context, session.signal)))
      continue
    open.push(there)
  }
  return open
}

function placed(offer: Offer, decision: Decision): Offer | undefined {
  if (decision.kind === 'refuse') return undefined
  if (decision.kind === 'proxy') return offer
  const [, host = decision.to, port] = /^(.*?)(?::(\d+))?$/.exec(decision.to) ?? []
  return { ...offer, host, port: port === undefined ? offer.port : Number(port) }
}
