// SPDX-License-Identifier: MIT
import type { BucketLimits, BucketState } from './store.js'

/** A token bucket at one moment: how much was in it, and when (monotonic milliseconds). */
export interface Bucket {
  readonly tokens: number
  readonly at: number
}

/** Takes `cost` if it is there, after refilling for the time since. Takes nothing when it is not. Pure. */
export function takeFrom(
  bucket: Bucket | undefined,
  cost: number,
  { capacity, refillPerSecond }: BucketLimits,
  now: number,
): { readonly bucket: Bucket; readonly state: BucketState; readonly fullInMs: number } {
  const since = bucket === undefined ? 0 : Math.max(0, now - bucket.at)
  const tokens = Math.min(capacity, (bucket?.tokens ?? capacity) + (since * refillPerSecond) / 1_000)
  const allowed = cost <= tokens
  const remaining = allowed ? tokens - cost : tokens
  return {
    bucket: { tokens: remaining, at: now },
    state: { allowed, remaining, retryAfterMs: allowed ? 0 : waitFor(cost - tokens, refillPerSecond) },
    fullInMs: waitFor(capacity - remaining, refillPerSecond),
  }
}

function waitFor(missing: number, refillPerSecond: number): number {
  if (missing <= 0) return 0
  return refillPerSecond > 0 ? Math.ceil((missing * 1_000) / refillPerSecond) : Number.MAX_SAFE_INTEGER
}
