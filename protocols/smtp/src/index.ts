// SPDX-License-Identifier: MIT
export { smtp } from './protocol.js'
export type { Connector, SmtpSettings } from './schema.js'
