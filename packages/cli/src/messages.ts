// SPDX-License-Identifier: MIT
import type { BoundListener } from '@portico/frontend'
import type { MetricValues } from '@portico/telemetry'

/** What a worker begins with. The text, not the file, is what holds: a worker that starts later must not see a newer one. */
export interface Begin {
  readonly portico: 'begin'
  readonly path: string
  readonly text: string
  readonly protocols: readonly string[]
  /** 48 octets in base64. */
  readonly ticketKeys: string
}

/** Supervisor to worker. */
export type Order =
  | Begin
  | { readonly portico: 'reload'; readonly text: string }
  | { readonly portico: 'metrics' }
  | { readonly portico: 'drain' }
  | { readonly portico: 'close' }

/** Worker to supervisor. */
export type Report =
  /** It can be given orders: what is sent before its program is loaded would be lost. */
  | { readonly portico: 'here' }
  | { readonly portico: 'ready'; readonly listeners: readonly BoundListener[] }
  | { readonly portico: 'failed'; readonly why: string }
  | { readonly portico: 'reloaded'; readonly listeners: readonly BoundListener[] }
  | { readonly portico: 'counted'; readonly values: MetricValues }
  | { readonly portico: 'refused'; readonly why: string }

/** Whether a message of the channel is one of these; the rest belongs to the shared state. */
export function isOurs<M extends Order | Report>(message: unknown): message is M {
  return typeof message === 'object' && message !== null && 'portico' in message
}
