// SPDX-License-Identifier: MIT

/** Facts beside a log message. Values of type Secret print as `***`. */
export type LogFacts = Readonly<Record<string, unknown>>

/** The log as the rest of Portico sees it. Messages are constant text; what varies goes into the facts. */
export interface Log {
  debug(message: string, facts?: LogFacts): void
  info(message: string, facts?: LogFacts): void
  warn(message: string, facts?: LogFacts): void
  error(message: string, facts?: LogFacts): void
  /** A log whose every line carries these facts. */
  child(facts: LogFacts): Log
}

/** Says nothing. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
}
