// SPDX-License-Identifier: MIT
// A thread of hash-threads.ts. JavaScript as it stands, because the sources are run as well as what is built from them, and a
// thread can be started from either only if the file is the same in both places.
import { parentPort } from 'node:worker_threads'
import { md5Crypt } from './md5-crypt.js'
import { sha2Crypt } from './sha2-crypt.js'

/** @typedef {import('../hash-threads.js').CryptJob} CryptJob */

parentPort?.on('message', (/** @type {CryptJob} */ job) => parentPort?.postMessage(crypt(job)))

/**
 * @param {CryptJob} job
 * @returns {string}
 */
function crypt({ algorithm, password, salt, rounds }) {
  const key = Buffer.from(password)
  return algorithm === 'md5' ? md5Crypt(key, Buffer.from(salt)) : sha2Crypt(algorithm, key, Buffer.from(salt), rounds)
}
