// SPDX-License-Identifier: MIT
import type { Connection } from '../client/connection.js'
import type { Directory } from '../directory/schema.js'
import { isAllowed } from '../sign-in/schemes.js'
import { type HttpPlaces, httpPlaces } from './http-places.js'

/** The places of HTTP for a client that nobody has signed in on: what is live, under the names of its own side. */
export function placesForAnybody(
  connection: Connection,
  isOpen: (directory: Directory) => boolean = () => true,
): HttpPlaces | undefined {
  const { session, prepared } = connection
  const { publication, states } = session.services
  const offers = publication.offersFor({ networks: session.networks, states: states() })
  const offer = offers.find(({ protocol }) => protocol === session.protocol)
  if (offer === undefined) return undefined
  return httpPlaces(prepared.settings.directories, offer, {
    isOpen: (directory) => connection.serves(directory.component) && isOpen(directory),
    isServed: (scheme) => isAllowed(connection, scheme),
    networks: session.networks,
  })
}
