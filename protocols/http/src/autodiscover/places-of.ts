// SPDX-License-Identifier: MIT
import type { Connection } from '../client/connection.js'
import type { Directory } from '../directory/schema.js'
import { isAllowed } from '../sign-in/schemes.js'
import { type HttpPlaces, httpPlaces } from './http-places.js'

/**
 * The places of HTTP as clients in these networks are told of them, those outside where none is given: what is live, and serves whoever
 * they are for. `undefined` where HTTP is not told of.
 */
export function placesOf(
  connection: Connection,
  networks: readonly string[],
  reaches: (directory: Directory) => boolean = () => true,
): HttpPlaces | undefined {
  const { session, prepared } = connection
  const { publication, states } = session.services
  const offers = publication.offersFor({ networks, states: states() })
  const offer = offers.find(({ protocol }) => protocol === session.protocol)
  if (offer === undefined) return undefined
  return httpPlaces(prepared.settings.directories, offer, {
    isOpen: (directory) => connection.serves(directory.component) && reaches(directory),
    isServed: (scheme) => isAllowed(connection, scheme),
    networks,
  })
}
