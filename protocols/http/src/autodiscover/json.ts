// SPDX-License-Identifier: MIT
import type { PresetName } from '../directory/presets.js'
import type { Reply } from '../replies.js'
import { readParameters } from '../routing/query.js'
import type { Asked } from './answer.js'
import type { HttpPlaces } from './http-places.js'
import { placesOf } from './places-of.js'

/** What the second version of Autodiscover is asked for, and the directory and the path in it that are meant. */
const PROTOCOLS: ReadonlyMap<string, { readonly name: string; readonly preset: PresetName; readonly path: string }> =
  new Map([
    ['activesync', { name: 'ActiveSync', preset: 'activesync', path: '' }],
    ['ews', { name: 'Ews', preset: 'ews', path: '/Exchange.asmx' }],
    ['autodiscoverv1', { name: 'AutodiscoverV1', preset: 'autodiscover', path: '/autodiscover.xml' }],
  ])

/**
 * Answers the second version: one address for one protocol, in JSON. Nobody signs in, so the answer is the same for every address,
 * whether it exists or not.
 */
export function answerJson({ connection, request, rest }: Asked): Reply {
  const parameters = readParameters(request.query, ['email', 'protocol'])
  if (parameters === undefined) return refusal('InvalidParameter', 'The query cannot be read.')
  const [, version, email] = /^\/[^/]+(?:\/v(\d\.\d)(?:\/([^/]+))?)?\/?$/.exec(rest) ?? []
  if (rest.indexOf('/', 1) >= 0 && version !== '1.0') return refusal('InvalidRequest', 'There is no such version.', 404)
  if (!(parameters.email ?? email ?? '').includes('@')) {
    return refusal('MandatoryParameterMissing', 'A valid smtp address must be provided.')
  }
  if ((parameters.protocol ?? '') === '') {
    return refusal('MandatoryParameterMissing', "The mandatory parameter 'Protocol' is missing.")
  }
  return answerFor(placesOf(connection, connection.session.networks), parameters.protocol ?? '')
}

/** Pure: what is said about one protocol. */
export function answerFor(places: HttpPlaces | undefined, protocol: string): Reply {
  const known = PROTOCOLS.get(protocol.toLowerCase())
  const place = known && places?.directories.get(known.preset)
  if (known !== undefined && place !== undefined) {
    return json(200, { Protocol: known.name, Url: place.url + known.path })
  }
  const there = [...PROTOCOLS.values()].filter(({ preset }) => places?.directories.has(preset)).map(({ name }) => name)
  const supported = there.length === 0 ? 'none' : there.join(',')
  // The name is not repeated: it is the client's.
  return refusal(
    'ProtocolNotSupported',
    `The given protocol value is not supported. Supported values are '${supported}'.`,
  )
}

function refusal(code: string, message: string, status = 400): Reply {
  return json(status, { ErrorCode: code, ErrorMessage: message })
}

function json(status: number, value: object): Reply {
  return { status, fields: '', body: JSON.stringify(value), contentType: 'application/json; charset=utf-8' }
}
