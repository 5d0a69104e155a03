// SPDX-License-Identifier: MIT
export * from './client/login.js'
export * from './client/plain.js'
export * from './mechanism.js'
export * from './saslprep.js'
export * from './server/login.js'
export * from './server/mechanisms.js'
export * from './server/plain.js'
