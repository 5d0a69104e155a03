// SPDX-License-Identifier: MIT

const NOTHING = Buffer.alloc(0)

/** A leg without a socket: gives its reader the pieces in their order, then the end. Keeps what is written. */
export class FakeLeg {
  paused = false
  needsDrain = false
  tls = undefined
  state = 'open'
  bytesRead = 0
  bytesWritten = 0
  queued = 0
  written = ''
  facts = {
    peer: { address: '192.0.2.1', port: 1, family: 4 },
    local: { address: '192.0.2.2', port: 2, family: 4 },
    socketPeer: { address: '192.0.2.1', port: 1, family: 4 },
  }
  #pieces
  #left = NOTHING
  #reader
  #scheduled = false
  #ended = false

  constructor(pieces) {
    this.#pieces = [...pieces]
  }

  get buffered() {
    return this.#left.length
  }

  setReader(reader) {
    this.#reader = reader
    this.#ended = false
    this.#schedule()
  }

  pause() {
    this.paused = true
  }

  resume() {
    this.paused = false
    this.#schedule()
  }

  writeText(text) {
    this.written += text
    this.bytesWritten += text.length
    return true
  }

  write(bytes) {
    return this.writeText(Buffer.from(bytes).toString('latin1'))
  }

  writeView(view) {
    return this.write(view)
  }

  batch(fill) {
    fill()
  }

  setDeadline() {}
  setIdle() {}
  end() {}
  close() {
    this.state = 'closed'
  }
  destroy() {
    this.state = 'closed'
  }

  #schedule() {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#flow()
    })
  }

  #flow() {
    while (!this.paused && this.state !== 'closed') {
      const view = this.#left.length > 0 ? this.#left : this.#pieces.shift()
      if (view === undefined) break
      this.#left = NOTHING
      const taken = this.#reader.onBytes(view)
      if (taken < view.length) this.#left = Buffer.from(view.subarray(taken))
    }
    if (this.#ended || this.#left.length > 0 || this.#pieces.length > 0) return
    this.#ended = true
    this.state = 'peer-ended'
    this.#reader.onPeerEnd()
  }
}
