// SPDX-License-Identifier: MIT
// So many clients at once that greet and then say nothing. They come from many addresses of the loopback network, so that the
// limit per address is not in the way.
import { connect } from 'node:net'
import { connect as connectTls, createSecureContext } from 'node:tls'

const PER_ADDRESS = 100
const AT_ONCE = 64
const held = []
const secureContext = createSecureContext()

/** Resolves when the server has spoken; HTTP speaks only when spoken to, so there a connection is enough. */
function open(number, { port, tls, greets }) {
  const localAddress = `127.1.${Math.floor(number / PER_ADDRESS / 250)}.${(Math.floor(number / PER_ADDRESS) % 250) + 1}`
  return new Promise((resolve, reject) => {
    const raw = connect({ host: '127.0.0.1', port, localAddress })
    const socket = tls ? connectTls({ socket: raw, rejectUnauthorized: false, secureContext }) : raw
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the server closed a connection')))
    const ready = () => {
      socket.pause()
      held.push(socket)
      resolve()
    }
    if (greets) socket.once('data', ready)
    else socket.once(tls ? 'secureConnect' : 'connect', ready)
  })
}

process.on('message', async (order) => {
  if (order === 'leave') {
    for (const socket of held.splice(0)) {
      socket.removeAllListeners('close')
      socket.destroy()
    }
    process.send({ left: true })
    return
  }
  let next = 0
  const one = async () => {
    while (next < order.count) await open(next++, order)
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, one))
    process.send({ open: held.length })
  } catch (error) {
    process.send({ failed: `after ${held.length}: ${error.message}` })
  }
})
