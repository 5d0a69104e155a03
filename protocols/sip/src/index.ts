// SPDX-License-Identifier: MIT
export { sip } from './protocol.js'
export type { SipSettings } from './schema.js'
