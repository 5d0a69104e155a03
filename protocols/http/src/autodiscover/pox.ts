// SPDX-License-Identifier: MIT
import { type Reply, redirectReply } from '../replies.js'
import type { Asked } from './answer.js'
import { document, type Markup } from './markup.js'
import { mobileRedirect, mobileRefusal, mobileSettings } from './pox-mobilesync.js'
import {
  type Abilities,
  hasProtocols,
  outlookRedirectAddress,
  outlookRedirectUrl,
  outlookSettings,
} from './pox-outlook.js'
import { type PoxRequest, readPoxRequest } from './pox-request.js'
import { errorAnswer, POX_ERRORS, type PoxError } from './pox-words.js'
import type { Told } from './settings.js'
import { tell } from './tell.js'

const PATH = '/autodiscover/autodiscover.xml'

/**
 * Answers the first version, plain old XML. Whatever is asked, the status is 200, and what went wrong is a number in the document;
 * without a question, as by GET, it is 600: admins know by that page that the service is there.
 */
export async function answerPox(asked: Asked): Promise<Reply> {
  const { request, body, signedIn } = asked
  if (request.head.method !== 'POST' || signedIn === undefined) return failed(asked, 'invalid-request')
  const read = readPoxRequest(body)
  if (read.kind === 'bad') return failed(asked, read.error)
  const told = await tell({ ...asked, signedIn }, read.name)
  return read.schema === 'mobilesync' ? inMobileSync(asked, read, told) : inOutlook(asked, told)
}

function inOutlook(asked: Asked, told: Told): Reply {
  switch (told.kind) {
    case 'settings':
      if (!hasProtocols(told.settings)) return failed(asked, 'no-provider')
      return xml(outlookSettings(told.settings, abilitiesOf(asked)))
    case 'redirect-address':
      return xml(outlookRedirectAddress(told.address))
    case 'redirect-url':
      return xml(outlookRedirectUrl(told.origin + PATH))
    default:
      return failed(asked, told.kind)
  }
}

function inMobileSync(asked: Asked, { name }: PoxRequest, told: Told): Reply {
  const address = name.address ?? ''
  switch (told.kind) {
    case 'settings':
      return xml(mobileSettings(told.settings))
    case 'redirect-address':
      return xml(mobileRedirect(address, told.address))
    case 'redirect-url':
      // The schema has no word for it.
      return redirectReply(302, told.origin + PATH)
    case 'nobody':
      return xml(mobileRefusal(address, POX_ERRORS.nobody.message))
    case 'unavailable':
      return failed(asked, told.kind)
  }
}

function failed({ connection }: Asked, error: PoxError): Reply {
  const { clock, hostname } = connection.session.services
  return xml(errorAnswer(error, { wallNow: clock.wallNow(), hostname }))
}

function xml(root: Markup): Reply {
  return { status: 200, fields: '', body: document(root), contentType: 'text/xml; charset=utf-8' }
}

/** What the client says of itself, in fields that none of our own understanding depends on. */
function abilitiesOf({ request }: Asked): Abilities {
  const { fields } = request.head
  const canHandle = (fields.named('x-clientcanhandle') ?? '').split(',').map((word) => word.trim().toLowerCase())
  return {
    mapiHttp: /^[1-9]\d*$/.test(fields.named('x-mapihttpcapability') ?? ''),
    negotiate: canHandle.includes('negotiate'),
    exHttp: canHandle.includes('exhttpinfo'),
  }
}
