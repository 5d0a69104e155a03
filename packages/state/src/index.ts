// SPDX-License-Identifier: MIT
export * from './store.js'
