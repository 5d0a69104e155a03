// SPDX-License-Identifier: MIT
import type { Connection } from '../client/connection.js'
import { failureReply, type Reply, redirectReply, statusReply } from '../replies.js'
import { readParameters } from '../routing/query.js'
import type { Asked } from './answer.js'
import { askedDomain } from './asked-domain.js'
import { mobileconfigText, type ProfileKind, type ProfileUser } from './mobileconfig.js'
import { signedProfile } from './mobileconfig-signature.js'
import { type SetUp, setUpForAnybody, setUpOf } from './set-up.js'
import type { ClientSettings } from './settings.js'
import { addressOf, ownAddresses } from './subject.js'
import { tell } from './tell.js'

/** The profile of an address, for whoever asks: it says nothing that does not hold for every address of the domain. */
export async function answerProfile({ connection, request }: Asked): Promise<Reply> {
  const parameters = readParameters(request.query, ['address', 'account'])
  if (parameters === undefined) return statusReply(400)
  const address = addressOf(parameters.address ?? '')?.toLowerCase()
  const domain = address === undefined ? undefined : domainAsked(connection, address)
  if (address === undefined || domain === undefined) return statusReply(404)
  const setUp = setUpForAnybody(connection, domain)
  const user = { address, userName: typedBy(setUp, address, address), fullName: undefined }
  return profileReply(connection, setUp, user, kindOf(parameters.account))
}

/** The profile of the user who has signed in, with what the user may use and where the mailbox is reached. */
export async function answerOwnProfile(asked: Asked): Promise<Reply> {
  const { connection, request, signedIn } = asked
  const parameters = readParameters(request.query, ['account'])
  if (parameters === undefined) return statusReply(400)
  if (signedIn === undefined) return statusReply(404)
  const [address] = ownAddresses(signedIn.principal, connection.session.services.publication)
  const told = await tell({ ...asked, signedIn }, { address })
  switch (told.kind) {
    case 'settings':
      return ownProfile(connection, told.settings, kindOf(parameters.account))
    case 'redirect-url':
      return redirectReply(307, told.origin + request.path + request.query)
    case 'unavailable':
      return failureReply('lookup-unavailable')
    case 'nobody':
    case 'redirect-address':
      return statusReply(404)
  }
}

async function ownProfile(connection: Connection, settings: ClientSettings, kind: ProfileKind): Promise<Reply> {
  const { offers, external: places, userName, displayName } = settings
  const address = settings.address.toLowerCase()
  const domain = domainAsked(connection, address)
  if (domain === undefined) return statusReply(404)
  const setUp = setUpOf(connection, domain, { offers, places })
  const fullName = displayName.includes('@') ? undefined : displayName
  return profileReply(connection, setUp, { address, userName: typedBy(setUp, userName, address), fullName }, kind)
}

/** What the user types as the name: that of the account, in the form that the site has chosen. */
function typedBy({ userName }: SetUp, user: string, address: string): string {
  if (userName === 'address') return user.includes('@') ? user : address
  const at = user.lastIndexOf('@')
  return at < 0 ? user : user.slice(0, at)
}

function kindOf(account: string | undefined): ProfileKind {
  return account?.toLowerCase() === 'activesync' ? 'activesync' : 'standard'
}

function domainAsked({ session }: Connection, address: string): string | undefined {
  return askedDomain({ address, authority: undefined, domains: session.services.publication.domains })
}

async function profileReply(
  { prepared, session }: Connection,
  setUp: SetUp,
  user: ProfileUser,
  kind: ProfileKind,
): Promise<Reply> {
  const text = mobileconfigText(setUp, user, kind)
  const { profileSigner } = prepared
  const wallNow = session.services.clock.wallNow()
  return {
    status: 200,
    fields: `Content-Disposition: attachment; filename="${setUp.domain}.mobileconfig"\r\n`,
    body: profileSigner === undefined ? text : await signedProfile(text, profileSigner, wallNow),
    contentType: 'application/x-apple-aspen-config',
  }
}
