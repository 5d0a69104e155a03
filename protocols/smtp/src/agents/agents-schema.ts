// SPDX-License-Identifier: MIT
import { z } from '@portico/config'
import { AGENT_TYPES } from './agent-types.js'

const [first, ...more] = AGENT_TYPES

/** The agents of `smtp.agents`. */
export const agentsSchema = z
  .array(z.discriminatedUnion('type', [first.schema, ...more.map(({ schema }) => schema)]))
  .default([])
  .describe(
    'What looks at clients and messages before they are taken. Asked in the order of the table, those of one type in the order in which they are written.',
  )
