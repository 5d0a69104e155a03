// SPDX-License-Identifier: MIT
import type { Mechanism } from '../mechanism.js'
import { anonymous } from './anonymous.js'
import { apop } from './apop.js'
import { cramMd5 } from './cram-md5.js'
import { external } from './external.js'
import { login } from './login.js'
import { plain } from './plain.js'
import { scram } from './scram.js'

/** Every mechanism that the server side speaks, strongest first. */
export const serverMechanisms: readonly Mechanism[] = [
  external,
  scram('SCRAM-SHA-256-PLUS'),
  scram('SCRAM-SHA-256'),
  scram('SCRAM-SHA-1-PLUS'),
  scram('SCRAM-SHA-1'),
  cramMd5(),
  apop,
  plain,
  login,
  anonymous,
]

/** Their names. */
export const serverMechanismNames: readonly string[] = serverMechanisms.map(({ name }) => name)
