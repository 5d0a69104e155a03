// SPDX-License-Identifier: MIT
export * from './conversation.js'
export * from './leg.js'
export * from './relay-types.js'
export * from './timer-wheel.js'
