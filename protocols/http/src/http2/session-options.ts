// SPDX-License-Identifier: MIT
import type { ServerSessionOptions } from 'node:http2'
import type { HttpSettings } from '../schema.js'

/** Cookies may come in crumbs, each a field of its own until they are put together. */
const CRUMBS = 64
/** MiB that node:http2 itself may hold for one connection: field sections, answers to PING and SETTINGS, octets not sent. */
const MEMORY = 10
/** Frames against the rules, and streams above the limit, before the connection is given up. */
const MOST_FAULTS = 100

/** Octets of content of one stream that may be on their way, before somebody is signed in and after. */
const STRANGERS_WINDOW = 16_384
export const WINDOW = 131_072

/** How node:http2 is to treat a client. */
export function sessionOptions({ streams, maxHead, maxFields }: HttpSettings): ServerSessionOptions {
  return {
    maxSessionMemory: MEMORY,
    maxHeaderListPairs: maxFields + CRUMBS,
    maxSessionInvalidFrames: MOST_FAULTS,
    maxSessionRejectedStreams: MOST_FAULTS,
    settings: { initialWindowSize: STRANGERS_WINDOW, maxConcurrentStreams: streams, maxHeaderListSize: maxHead },
  }
}
