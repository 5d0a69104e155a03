// SPDX-License-Identifier: MIT
export * from './locator.js'
export * from './router.js'
