// SPDX-License-Identifier: MIT
export * from './compliance/index.js'
