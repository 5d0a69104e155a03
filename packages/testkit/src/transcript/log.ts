// SPDX-License-Identifier: MIT
import { inspect } from 'node:util'
import type { Log, LogFacts } from '@portico/telemetry'

/** A log that keeps its lines. */
export interface CapturedLog extends Log {
  readonly lines: readonly string[]
}

/** Keeps every line as text, facts spelt out to the depth that an error's causes reach. */
export function captureLog(): CapturedLog {
  const lines: string[] = []
  const at = (inherited: LogFacts): Log => {
    const write = (level: string) => (message: string, facts?: LogFacts) => {
      lines.push(`${level} ${message} ${inspect({ ...inherited, ...facts }, { depth: 8, breakLength: 1e9 })}`)
    }
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: (facts) => at({ ...inherited, ...facts }),
    }
  }
  return { ...at({}), lines }
}

/** Lines that show a secret, as it is or in base64 (also within a SASL PLAIN message, at any of the three alignments). */
export function linesShowing(secrets: readonly string[], lines: readonly string[]): readonly string[] {
  const forms = secrets.filter((secret) => secret !== '').flatMap((secret) => [secret, ...base64Forms(secret)])
  return lines.filter((line) => forms.some((form) => line.includes(form)))
}

function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8')
  return [0, 1, 2]
    .map((shift) => {
      const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
        .toString('base64')
        .replace(/=+$/, '')
      // The first character after a shift, and the last one, mix in neighbouring bits.
      const from = shift === 0 ? 0 : shift + 1
      const to = (bytes.length + shift) % 3 === 0 ? encoded.length : encoded.length - 1
      return encoded.slice(from, to)
    })
    .filter((form) => form.length >= 4)
}
