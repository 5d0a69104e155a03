// SPDX-License-Identifier: MIT
export { createDemoCa, type DemoCertificate } from './ca.js'
export { createDemoMailbox, type DemoMailbox, type DemoMailboxOptions } from './demo-mailbox.js'
export { type Account, DemoDirectory, type Folder, type StoredMessage } from './mail-store.js'
