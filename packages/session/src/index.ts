// SPDX-License-Identifier: MIT
export * from './auth-context.js'
export * from './limits.js'
export * from './protocol.js'
export * from './sasl-dialogue.js'
export * from './services.js'
export * from './session.js'
export * from './walk.js'
