// SPDX-License-Identifier: MIT
import { type Reply, statusReply } from '../replies.js'
import { readParameters } from '../routing/query.js'
import type { Asked } from './answer.js'
import { askedDomain } from './asked-domain.js'
import { autoconfigText } from './autoconfig.js'
import { setUpForAnybody } from './set-up.js'

/** Answers Thunderbird and its kin: one document for each domain that is served, whoever is asked about; 404 for other domains. */
export function answerAutoconfig({ connection, request }: Asked): Reply {
  const parameters = readParameters(request.query, ['emailaddress'])
  if (parameters === undefined) return statusReply(400)
  const { domains } = connection.session.services.publication
  // A client that keeps the address to itself may leave the value empty.
  const address = parameters.emailaddress === '' ? undefined : parameters.emailaddress
  const domain = askedDomain({ address, authority: request.authority, domains })
  if (domain === undefined) return statusReply(404)
  const body = autoconfigText(setUpForAnybody(connection, domain))
  return { status: 200, fields: '', body, contentType: 'application/xml; charset=utf-8' }
}
