// SPDX-License-Identifier: MIT
export * from './backend-pool.js'
