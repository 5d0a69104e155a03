// SPDX-License-Identifier: MIT
export * from './authenticator.js'
export * from './credential-source.js'
