// SPDX-License-Identifier: MIT
export { imap4 } from './protocol.js'
export type { Imap4Settings } from './schema.js'
