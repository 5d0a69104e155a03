// SPDX-License-Identifier: MIT
export * from './mechanism.js'
