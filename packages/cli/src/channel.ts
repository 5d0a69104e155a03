// SPDX-License-Identifier: MIT
import type { Worker } from 'node:cluster'
import type { MessageChannel } from '@portico/state'

/** A worker's end of the channel to its supervisor, for the shared state. */
export function workerChannel(): MessageChannel {
  const channel: MessageChannel = {
    onMessage: undefined,
    get open() {
      return process.connected
    },
    send(message) {
      if (!process.connected) return false
      process.send?.(message)
      return true
    },
  }
  process.on('message', (message) => channel.onMessage?.(message))
  return channel
}

/** The supervisor's end of the channel to one worker. */
export function supervisorChannel(worker: Worker): MessageChannel {
  const channel: MessageChannel = {
    onMessage: undefined,
    get open() {
      return worker.isConnected()
    },
    send(message) {
      if (!worker.isConnected()) return false
      worker.send(message as object)
      return true
    },
  }
  worker.on('message', (message) => channel.onMessage?.(message))
  return channel
}
