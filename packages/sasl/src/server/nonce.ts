// SPDX-License-Identifier: MIT
import { randomBytes } from 'node:crypto'

/** Makes the random part of a challenge: printable ASCII without comma, space and angle brackets. */
export type Nonce = () => string

/** 144 bits in base64. */
export const randomNonce: Nonce = () => randomBytes(18).toString('base64')
