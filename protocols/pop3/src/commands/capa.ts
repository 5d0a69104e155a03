// SPDX-License-Identifier: MIT
import { DONE } from '@portico/session'
import { capabilityLines } from '../capabilities.js'
import type { CommandHandler } from '../context.js'
import { withoutArguments } from './arguments.js'

/** CAPA (RFC 2449 section 5). */
export const capa: CommandHandler = withoutArguments((context) => {
  const lines = ['+OK Capability list follows', ...capabilityLines(context), '.']
  context.dialogue.write(`${lines.join('\r\n')}\r\n`)
  return DONE
})
