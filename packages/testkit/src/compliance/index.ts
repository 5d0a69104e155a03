// SPDX-License-Identifier: MIT
// One line for each compliance suite.

export * from './backend-pool.js'
export * from './clock.js'
export * from './credential-source.js'
export * from './leg.js'
export * from './locator.js'
export * from './mechanism.js'
export * from './proof-mechanism.js'
export * from './router.js'
export * from './state-store.js'
export * from './toy-backend.js'
