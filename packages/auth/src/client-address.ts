// SPDX-License-Identifier: MIT
import { type Endpoint, LOOPBACK } from '@portico/base'

/** A Unix socket is as near as loopback. */
export function isLoopback(end: Endpoint): boolean {
  return end.family === 'unix' || LOOPBACK.contains(end.address)
}
