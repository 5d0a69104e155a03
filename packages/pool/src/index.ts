// SPDX-License-Identifier: MIT
export * from './backend-pool.js'
export type { BackendPoolOptions, PoolLimits } from './options.js'
export { createBackendPool } from './pool.js'
