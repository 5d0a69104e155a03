// SPDX-License-Identifier: MIT
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** A connection that can be asked for replies: `until(test)` resolves with all text up to the reply that ends the exchange. */
export function open(port, tls, session) {
  return new Promise((resolve, reject) => {
    const socket = tls
      ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, minVersion: 'TLSv1.3', session })
      : connect({ port, host: '127.0.0.1' })
    socket.setNoDelay(true)
    let waiting
    let held = ''
    const fail = (error) => {
      socket.destroy()
      if (waiting === undefined) reject(error)
      else waiting.reject(error)
    }
    socket.on('error', fail)
    socket.on('close', () => fail(new Error('closed')))
    socket.on('data', (chunk) => {
      if (waiting?.bytes !== undefined) {
        waiting.seen += chunk.length
        if (waiting.seen < waiting.bytes) return
        const { resolve: done } = waiting
        waiting = undefined
        done('')
        return
      }
      held += chunk.toString('latin1')
      if (waiting === undefined || !waiting.test(held)) return
      const { resolve: done } = waiting
      const text = held
      held = ''
      waiting = undefined
      done(text)
    })
    const peer = {
      socket,
      ask(bytes, test) {
        if (bytes !== undefined) socket.write(bytes)
        return new Promise((done, bad) => {
          if (held !== '' && test(held)) {
            const text = held
            held = ''
            done(text)
          } else waiting = { test, resolve: done, reject: bad }
        })
      },
      /** Counts octets instead of keeping them. */
      drain(bytes, count) {
        return new Promise((done, bad) => {
          waiting = { bytes: count, seen: 0, resolve: done, reject: bad }
          socket.write(bytes)
        })
      },
      end() {
        waiting = { test: () => false, resolve() {}, reject() {} }
        socket.destroy()
      },
    }
    socket.once(tls ? 'secureConnect' : 'connect', () => resolve(peer))
  })
}

export const crlf = (text) => text.endsWith('\r\n')

export function must(text, wanted) {
  if (!text.includes(wanted)) throw new Error(`expected ${wanted}, got ${text.slice(0, 200)}`)
}
