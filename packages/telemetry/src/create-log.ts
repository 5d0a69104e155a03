// SPDX-License-Identifier: MIT
import { openSync } from 'node:fs'
import pino from 'pino'
import { LineWriter } from './line-writer.js'
import type { Log, LogFacts } from './log.js'
import { loggable } from './loggable.js'
import { prettyLine } from './pretty.js'
import { directSink, HoldingSink, type Sink } from './sink.js'

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

/**
 * Opens a log; throws when its file cannot be opened. Writing never waits for the disk: lines are held for a fifth of a second at
 * most, warnings and errors not at all, and a line that cannot be written is lost rather than holding a session up.
 */
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

const LOG_MODE = 0o640
/** Characters written together: into a file that is ours, and into a pipe, which takes that much in one piece (PIPE_BUF). */
const FILE_BATCH = 16_384
const PIPE_BATCH = 4_096
/** Octets that may wait for a disk or a reader that is behind; lines beyond are lost, so that who makes us log costs no memory. */
const MOST_BEHIND = 16 * 1024 * 1024

function openSink(destination: LogOptions['destination']): Sink {
  if (typeof destination === 'object') return directSink(destination)
  const owned = typeof destination === 'string'
  // Opened here and now, so that a path that cannot be written is told at the start.
  const fd = owned ? openSync(destination, 'a', LOG_MODE) : destination
  const stream = new LineWriter(fd, { most: MOST_BEHIND, onBroken: () => sink.fail() })
  const sink: HoldingSink = new HoldingSink(stream, { most: owned ? FILE_BATCH : PIPE_BATCH, owned })
  return sink
}

let second = -1
let prefix = ''
/** RFC 3339 in UTC, as pino wants it. All but the milliseconds is made once a second. */
function isoTime(): string {
  const now = Date.now()
  const whole = Math.floor(now / 1_000)
  if (whole !== second) {
    second = whole
    prefix = `,"time":"${new Date(now).toISOString().slice(0, 20)}`
  }
  return `${prefix}${String(now % 1_000).padStart(3, '0')}Z"`
}

function jsonLog(level: LogLevel, sink: Sink): Log {
  const logger = pino(
    {
      level,
      base: { pid: process.pid },
      messageKey: 'message',
      timestamp: isoTime,
      formatters: { level: (label) => ({ level: label }), log: loggable },
    },
    sink,
  )
  return overPino(logger, sink)
}

function overPino(logger: pino.Logger, sink: Sink): Log {
  return {
    debug: (message, facts) => logger.debug(facts ?? {}, message),
    info: (message, facts) => logger.info(facts ?? {}, message),
    warn(message, facts) {
      logger.warn(facts ?? {}, message)
      sink.push()
    },
    error(message, facts) {
      logger.error(facts ?? {}, message)
      sink.push()
    },
    child: (facts) => overPino(logger.child(loggable(facts)), sink),
  }
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

function prettyLog(least: LogLevel, sink: Sink, bound: LogFacts): Log {
  const at = (level: LogLevel) => (message: string, facts?: LogFacts) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return
    sink.write(prettyLine(new Date(), level, message, loggable({ ...bound, ...facts })))
    if (level === 'warn' || level === 'error') sink.push()
  }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (facts) => prettyLog(least, sink, { ...bound, ...facts }),
  }
}
