// SPDX-License-Identifier: MIT
// The web server of the benchmark: pages of two sizes, uploads that are counted and dropped, and a poll that is never answered.
const answer = (size) =>
  Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${size}\r\n\r\n${'p'.repeat(size)}`)
const PAGE = answer(1024)
const LARGE = answer(100 * 1024)
const TAKEN = answer(2)
const HEAD_END = Buffer.from('\r\n\r\n')

export function page(socket) {
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  let held = Buffer.alloc(0)
  /** Octets of an upload that are still to come. */
  let left = 0
  socket.on('data', (chunk) => {
    let view = chunk
    if (left > 0) {
      const took = Math.min(left, view.length)
      left -= took
      view = view.subarray(took)
      if (left > 0) return
      socket.write(TAKEN)
    }
    held = held.length === 0 ? view : Buffer.concat([held, view])
    for (let end = held.indexOf(HEAD_END); end >= 0; end = held.indexOf(HEAD_END)) {
      const head = held.toString('latin1', 0, end)
      held = held.subarray(end + HEAD_END.length)
      const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
      const took = Math.min(length, held.length)
      held = held.subarray(took)
      left = length - took
      if (left > 0) return
      if (length > 0) socket.write(TAKEN)
      else if (head.includes('/large ')) socket.write(LARGE)
      else if (!head.includes('/poll ')) socket.write(PAGE)
    }
  })
}
