// SPDX-License-Identifier: MIT
import { openSync } from 'node:fs'
import pino from 'pino'
import type { Log, LogFacts } from './log.js'
import { loggable } from './loggable.js'
import { prettyLine } from './pretty.js'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LogOptions {
  /** The least level that is written. */
  readonly level: LogLevel
  /** `json`: one object per line. `pretty`: for people at a terminal. */
  readonly format: 'json' | 'pretty'
  /** A file descriptor, a file's path (appended to; its folder must exist), or anything that takes text. */
  readonly destination: number | string | { write(text: string): unknown }
}

/** A log that somebody has to close: what is still buffered is written then, and at the latest when the process exits. */
export interface OwnedLog extends Log, Disposable {
  /** Writes what is buffered, now. */
  flush(): void
  close(): void
}

const LOG_MODE = 0o640

interface Sink {
  write(text: string): unknown
  flush(): void
  close(): void
}

/** Opens a log; throws when its file cannot be opened. Writing never waits for the disk; a line that cannot be written is lost rather than holding a session up. */
export function createLog(options: LogOptions): OwnedLog {
  const sink = openSink(options.destination)
  const log = options.format === 'json' ? jsonLog(options.level, sink) : prettyLog(options.level, sink, {})
  const close = () => {
    process.removeListener('exit', close)
    sink.close()
  }
  process.on('exit', close)
  return { ...log, flush: () => sink.flush(), close, [Symbol.dispose]: close }
}

function openSink(destination: LogOptions['destination']): Sink {
  if (typeof destination === 'object') {
    return { write: (text) => destination.write(text), flush() {}, close() {} }
  }
  // Opened here and now, so that a path that cannot be written is told at the start.
  const dest = typeof destination === 'string' ? openSync(destination, 'a', LOG_MODE) : destination
  const stream = pino.destination({ dest, sync: false, minLength: 0 })
  let failed = false
  let closed = false
  stream.on('error', () => {
    failed = true
  })
  const flush = () => {
    if (failed || closed) return
    try {
      stream.flushSync()
    } catch {
      // The destination has gone: there is nobody left to tell.
    }
  }
  return {
    write: (text) => failed || closed || stream.write(text),
    flush,
    close() {
      flush()
      closed = true
      if (typeof destination === 'string') stream.end()
    },
  }
}

function jsonLog(level: LogLevel, sink: Sink): Log {
  const logger = pino(
    {
      level,
      base: { pid: process.pid },
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: loggable },
    },
    sink,
  )
  return overPino(logger)
}

function overPino(logger: pino.Logger): Log {
  return {
    debug: (message, facts) => logger.debug(facts ?? {}, message),
    info: (message, facts) => logger.info(facts ?? {}, message),
    warn: (message, facts) => logger.warn(facts ?? {}, message),
    error: (message, facts) => logger.error(facts ?? {}, message),
    child: (facts) => overPino(logger.child(loggable(facts))),
  }
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

function prettyLog(least: LogLevel, sink: Sink, bound: LogFacts): Log {
  const at = (level: LogLevel) => (message: string, facts?: LogFacts) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return
    sink.write(prettyLine(new Date(), level, message, loggable({ ...bound, ...facts })))
  }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (facts) => prettyLog(least, sink, { ...bound, ...facts }),
  }
}
