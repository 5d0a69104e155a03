// SPDX-License-Identifier: MIT
export { pop3 } from './protocol.js'
export type { Pop3Settings } from './schema.js'
