// SPDX-License-Identifier: MIT
import type { ConfigProblem } from '@portico/config'
import type { SiteFacts } from '@portico/session'
import type { Connector } from './connectors.js'
import { may } from './permissions.js'

/** What is wrong with a connector, whoever uses it. */
export function connectorProblems(
  connector: Connector,
  { backendGroups, mechanisms }: Pick<SiteFacts, 'backendGroups' | 'mechanisms'>,
): ConfigProblem[] {
  const { name, group } = connector
  const path = ['smtp', 'connectors', name]
  const problems: ConfigProblem[] = []
  if (may(connector, false, 'relay') && !connector.openRelay)
    problems.push({
      path: [...path, 'permissions', 'anonymous'],
      expectation: `expected no relay, or openRelay: true beside it: ${whom(connector)} could send to the world without signing in`,
    })
  if (connector.submission && group === undefined && may(connector, false, 'submit'))
    problems.push({
      path: [...path, 'permissions', 'anonymous'],
      expectation: 'expected no submit, submission: false or a group: who has not signed in has no backend',
    })
  if (group !== undefined && !backendGroups.includes(group))
    problems.push({ path: [...path, 'group'], expectation: `expected one of the groups ${backendGroups.join(', ')}` })
  connector.mechanisms?.forEach((mechanism, index) => {
    const usable = mechanisms.filter((one) => !UNUSABLE.includes(one))
    if (!usable.includes(mechanism))
      problems.push({ path: [...path, 'mechanisms', index], expectation: `expected one of ${usable.join(', ')}` })
  })
  return problems
}

/** APOP is POP3's own, and ANONYMOUS proves nothing. */
const UNUSABLE: readonly string[] = ['APOP', 'ANONYMOUS']

function whom({ remote }: Connector): string {
  return remote === undefined ? 'everybody' : 'whoever remote holds'
}
