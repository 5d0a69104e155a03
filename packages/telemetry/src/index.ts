// SPDX-License-Identifier: MIT
export * from './log.js'
export * from './session-record.js'
