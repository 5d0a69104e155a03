// SPDX-License-Identifier: MIT
export * from './front-end.js'
