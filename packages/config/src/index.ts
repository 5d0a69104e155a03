// SPDX-License-Identifier: MIT
export * from './language.js'
