// SPDX-License-Identifier: MIT
// What is asked of listeners, TLS, relay and dialogue by node:net, asked again on handles.
import { chooseTransport } from '../src/index.js'

const { kind } = await chooseTransport('auto')
if (kind !== 'handles') throw new Error('handles do not work here')
await import('./listener.test.js')
await import('./tls.test.js')
await import('./relay.test.js')
await import('./conversation.test.js')
