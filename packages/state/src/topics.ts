// SPDX-License-Identifier: MIT

type Listener = (message: Uint8Array) => void

/** Who listens to what, in one process. Messages arrive later, in their order; each listener gets a copy of its own. */
export class Topics {
  readonly #topics = new Map<string, Set<Listener>>()

  publish(topic: string, message: Uint8Array): void {
    const copy = Uint8Array.from(message)
    queueMicrotask(() => this.deliver(topic, copy))
  }

  /** Hands a message over at once. A listener that throws is its owner's bug and does not keep the message from the others. */
  deliver(topic: string, message: Uint8Array): void {
    for (const listener of this.#topics.get(topic) ?? []) {
      try {
        listener(Uint8Array.from(message))
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  /** `first` and `last` are called when a topic gains its first and loses its last listener. */
  subscribe(topic: string, listener: Listener, first = () => {}, last = () => {}): Disposable {
    // One subscription is one entry, even if the same function comes twice.
    const entry: Listener = (message) => listener(message)
    let listeners = this.#topics.get(topic)
    if (listeners === undefined) {
      listeners = new Set()
      this.#topics.set(topic, listeners)
      first()
    }
    listeners.add(entry)
    const ours = listeners
    return {
      [Symbol.dispose]: () => {
        if (!ours.delete(entry) || ours.size > 0) return
        this.#topics.delete(topic)
        last()
      },
    }
  }

  clear(): void {
    this.#topics.clear()
  }
}
