// SPDX-License-Identifier: MIT
import type { ConfigProblem } from '@portico/config'
import type { SiteFacts } from '@portico/session'
import { connectorOf, type SmtpSettings } from './schema.js'

/** A listener whose connector does not exist would turn everybody away. */
export function smtpProblems(settings: SmtpSettings, { listeners }: SiteFacts): ConfigProblem[] {
  const names = [...settings.connectors.keys()].join(', ')
  // A connector that is not named always exists, whatever the port.
  return listeners.flatMap(({ index, options }) =>
    connectorOf(settings, options, 0) === undefined
      ? [{ path: ['listeners', index, 'connector'], expectation: `expected one of the connectors ${names}` }]
      : [],
  )
}
