// SPDX-License-Identifier: MIT
import type { Endpoint } from '@portico/base'
import type { Session } from '@portico/session'
import type { ListenerOptions, SmtpSettings } from '../schema.js'
import type { Connector } from './connectors.js'

/** The connectors that a listener names, or those of its port: `partner` and `inbound` on port 25, `client` elsewhere. */
export function connectorNames(options: unknown, port: number): readonly string[] {
  const { connector, connectors } = options as ListenerOptions
  return connectors ?? (connector !== undefined ? [connector] : port === 25 ? ['partner', 'inbound'] : ['client'])
}

/** Less close than any block. */
const EVERYBODY = -1

/**
 * The connector for a client: among those of the listener the one whose `remote` holds it most closely. Undefined when none does:
 * the client may then do nothing. `options` are the listener's validated ones, `port` is where the client has connected to.
 */
export function chooseConnector(
  settings: Pick<SmtpSettings, 'connectors'>,
  options: unknown,
  peer: Endpoint,
  port: number,
): Connector | undefined {
  let chosen: Connector | undefined
  let closest = EVERYBODY - 1
  for (const name of connectorNames(options, port)) {
    const connector = settings.connectors.get(name)
    const width = connector?.remote === undefined ? EVERYBODY : connector.remote.widthOf(peer.address)
    if (connector === undefined || width === undefined || width <= closest) continue
    chosen = connector
    closest = width
  }
  return chosen
}

/** The connector for the client of a session, as it is known now. A client that none holds is in the log. */
export function connectorFor(session: Session, settings: SmtpSettings, port: number): Connector | undefined {
  const { leg, listener, services } = session
  const { peer } = leg.facts
  const connector = chooseConnector(settings, listener.options, peer, port)
  if (connector === undefined)
    services.log.info('no connector holds the client', {
      session: session.id,
      client: peer.address,
      listener: listener.name,
    })
  return connector
}
