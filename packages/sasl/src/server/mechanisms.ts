// SPDX-License-Identifier: MIT
import type { Mechanism } from '../mechanism.js'
import { login } from './login.js'
import { plain } from './plain.js'

/** Every mechanism that the server side speaks, strongest first. */
export const serverMechanisms: readonly Mechanism[] = [plain, login]
