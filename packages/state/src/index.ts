// SPDX-License-Identifier: MIT
export type { MessageChannel } from './channel.js'
export { createMemoryStore, type MemoryStoreOptions } from './memory.js'
export { reachesOtherHosts, type StateSettings, stateSchema } from './schema.js'
export * from './store.js'
export { createSupervisorStore } from './supervisor.js'
export { serveStore } from './supervisor-server.js'
