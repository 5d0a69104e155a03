// SPDX-License-Identifier: MIT
import type { ConfigProblem } from '@portico/config'
import type { SiteFacts } from '@portico/session'
import type { Connector } from '../connector/connectors.js'
import { may } from '../connector/permissions.js'
import type { Gateway, Telephony } from './gateways.js'

interface Settings {
  readonly telephony: Telephony
  readonly connectors: ReadonlyMap<string, Connector>
}

/** Gateways, networks and connectors that do not exist, and gateways that nobody could call by. */
export function gatewayProblems(
  { telephony, connectors }: Settings,
  { backendGroups, networks }: Pick<SiteFacts, 'backendGroups' | 'networks'>,
): ConfigProblem[] {
  return [...telephony.gateways.values()].flatMap((gateway) => {
    const path = pathOf(gateway)
    const { group, withoutSignIn, callable } = gateway
    const problems = [
      ...unknown([...path, 'withoutSignIn', 'networks'], withoutSignIn.networks, networks, 'networks'),
      ...unknown(
        [...path, 'withoutSignIn', 'connectors'],
        withoutSignIn.connectors,
        [...connectors.keys()],
        'connectors',
      ),
    ]
    if (!backendGroups.includes(group))
      problems.push({ path: [...path, 'group'], expectation: `expected one of the groups ${backendGroups.join(', ')}` })
    if (!callable)
      problems.push({
        path: [...path, 'allow'],
        expectation: 'expected numbers that may be called, or a countryCode under smtp.telephony.numbers',
      })
    return problems
  })
}

function unknown(
  path: ConfigProblem['path'],
  names: readonly string[],
  known: readonly string[],
  what: string,
): ConfigProblem[] {
  return names.flatMap((name, index) =>
    known.includes(name)
      ? []
      : [{ path: [...path, index], expectation: `expected one of the ${what} ${known.join(', ')}` }],
  )
}

/** Where somebody can have a call made who has not signed in. */
export function gatewayWarnings({ telephony, connectors }: Settings): readonly string[] {
  return [...telephony.gateways.values()].flatMap((gateway) => {
    const key = [...pathOf(gateway), 'withoutSignIn'].join('.')
    const { networks, connectors: partners } = gateway.withoutSignIn
    const doors = [...connectors.values()].filter(
      (connector) => connector.group === gateway.group && may(connector, false, 'submit'),
    )
    return [
      ...networks.map((name) => `${key}: clients of the network ${name} can call telephones without signing in`),
      ...partners.map((name) => `${key}: clients of the connector ${name} can call telephones without signing in`),
      ...doors.map(
        ({ name }) =>
          `smtp.connectors.${name}.group: whatever anybody sends there who has not signed in goes to the gateway ${gateway.group}, and nobody judges what it reads in other addresses`,
      ),
    ]
  })
}

function pathOf({ service }: Gateway): readonly string[] {
  return ['smtp', 'telephony', 'gateways', service.toLowerCase()]
}
