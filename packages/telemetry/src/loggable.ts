// SPDX-License-Identifier: MIT
import type { LogFacts } from './log.js'

const MAX_CAUSES = 5

/**
 * Facts as plain values: errors become their name, message, code, stack and causes, and nothing else of theirs is written, since
 * drivers hang requests and whole configurations on their errors. Values that hide themselves (Secret) stay hidden.
 */
export function loggable(facts: LogFacts): Record<string, unknown> {
  const plain: Record<string, unknown> = {}
  for (const key of Object.keys(facts)) {
    const value = facts[key]
    if (value === undefined) continue
    plain[key] = value instanceof Error ? describeError(value, MAX_CAUSES) : value
  }
  return plain
}

function describeError(error: Error, causes: number): Record<string, unknown> {
  const { code } = error as { code?: unknown }
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined ? {} : { cause: describeCause(error.cause, causes - 1) }),
  }
}

function describeCause(cause: unknown, causes: number): unknown {
  if (cause instanceof Error) return causes > 0 ? describeError(cause, causes) : cause.message
  return typeof cause === 'string' ? cause : typeof cause
}
