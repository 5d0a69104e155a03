// SPDX-License-Identifier: MIT
import { type Cancellation, CancellationSource } from '@portico/base'

/** Does the same for several at once. A cancellation tells one listener only: each of several gets one of its own. */
export async function together<T, R>(
  signal: Cancellation,
  items: readonly T[],
  run: (item: T, signal: Cancellation) => Promise<R>,
): Promise<readonly R[]> {
  const [only] = items
  if (only !== undefined && items.length === 1) return [await run(only, signal)]
  const children = items.map((item) => ({ item, own: new CancellationSource() }))
  signal.onAbort = (reason) => {
    for (const { own } of children) own.abort(reason)
  }
  try {
    return await Promise.all(children.map(({ item, own }) => run(item, own)))
  } finally {
    signal.onAbort = undefined
  }
}
