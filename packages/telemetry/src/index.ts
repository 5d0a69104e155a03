// SPDX-License-Identifier: MIT
export * from './create-log.js'
export * from './log.js'
export * from './metrics.js'
export * from './session-record.js'
