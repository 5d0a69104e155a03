// SPDX-License-Identifier: MIT
export * from './create-log.js'
export * from './log.js'
export * from './session-record.js'
