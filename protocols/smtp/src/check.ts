// SPDX-License-Identifier: MIT
import type { ConfigProblem } from '@portico/config'
import type { SiteFacts } from '@portico/session'
import { agentProblems } from './agents/agent-set.js'
import { connectorProblems } from './connector/check-connector.js'
import { listenerProblems } from './connector/check-listener.js'
import { insideProblems, ruleWarnings } from './rules/check-rules.js'
import type { SmtpSettings } from './schema.js'
import { gatewayProblems, gatewayWarnings } from './telephony/check-gateways.js'
import { partnerProblems } from './telephony/check-partners.js'

/** Settings that cannot work together, and those that would open a door which the site may not have meant. */
export function smtpProblems(settings: SmtpSettings, site: SiteFacts): ConfigProblem[] {
  return [
    ...site.listeners.flatMap((listener) => listenerProblems(settings, listener, site.balanced)),
    ...[...settings.connectors.values()].flatMap((connector) => connectorProblems(connector, site)),
    ...groupProblems(settings, site),
    ...agentProblems(settings, site),
    ...insideProblems(settings, site),
    ...gatewayProblems(settings, site),
    ...partnerProblems(settings),
  ]
}

/** What works, and may not be meant. */
export function smtpWarnings(settings: SmtpSettings): readonly string[] {
  return [...gatewayWarnings(settings), ...ruleWarnings(settings)]
}

function groupProblems({ untrustedGroups }: SmtpSettings, { backendGroups }: SiteFacts): ConfigProblem[] {
  const expectation = `expected one of the groups ${backendGroups.join(', ')}`
  return untrustedGroups.flatMap((group, index) =>
    backendGroups.includes(group) ? [] : [{ path: ['smtp', 'untrustedGroups', index], expectation }],
  )
}
