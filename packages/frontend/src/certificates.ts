// SPDX-License-Identifier: MIT
import { X509Certificate } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { Clock, Timer } from '@portico/base'
import { Secret } from '@portico/base'
import { ConfigError, type ConfigProblem, FileSecret, readSecretFile, type TextSource } from '@portico/config'
import type { TlsCertificate } from '@portico/net'
import type { Log } from '@portico/telemetry'
import type { CertificateSettings, ListenerSettings } from './schema.js'

/** Reads a text that the configuration names. Throws when it cannot. */
export type ReadText = (source: TextSource) => string

/** Reads all certificates with their keys and tries each pair. Throws {@link ConfigError} for those that do not work. */
export function loadCertificates(settings: readonly CertificateSettings[], readText: ReadText): TlsCertificate[] {
  const problems: ConfigProblem[] = []
  const loaded = settings.flatMap((entry, index) => {
    try {
      return [loadOne(entry, readText)]
    } catch (error) {
      const expectation = `expected a certificate and its key in PEM: ${(error as Error).message}`
      problems.push({ path: ['tls', index], expectation })
      return []
    }
  })
  if (problems.length > 0) throw new ConfigError(problems)
  return loaded
}

/** Reads the authorities of client certificates, by the index of their listener. Throws {@link ConfigError}. */
export function loadAuthorities(
  listeners: readonly ListenerSettings[],
  readText: ReadText,
): ReadonlyMap<number, string> {
  const authorities = new Map<number, string>()
  for (const { index, clientCertificates } of listeners) {
    if (clientCertificates === undefined) continue
    try {
      const ca = readText(clientCertificates)
      new X509Certificate(ca)
      authorities.set(index, ca)
    } catch (cause) {
      const expectation = `expected a certificate in PEM: ${(cause as Error).message}`
      throw new ConfigError([{ path: ['listeners', index, 'clientCertificates'], expectation }], { cause })
    }
  }
  return authorities
}

function loadOne({ names, certificate, key }: CertificateSettings, readText: ReadText): TlsCertificate {
  const pair = { certificate: readText(certificate), key: keyText(key, readText) }
  createSecureContext({ cert: pair.certificate, key: pair.key })
  return { names, ...pair }
}

/** A key that came from a file is read again: it was renewed together with its certificate. */
function keyText(key: CertificateSettings['key'], readText: ReadText): string {
  if (key instanceof FileSecret) return readSecretFile(key.path).expose()
  return key instanceof Secret ? key.expose() : readText(key)
}

const LOOK_EVERY_MS = 5_000

/**
 * Looks at the certificates' files every five seconds and calls `renewed` with all of them when one has changed. A pair that
 * does not work is logged and changes nothing: it may be half written.
 */
export function watchCertificates(options: {
  readonly settings: readonly CertificateSettings[]
  readonly readText: ReadText
  readonly pathOf: (path: string) => string
  readonly clock: Clock
  readonly log: Log
  readonly renewed: (certificates: TlsCertificate[]) => void
}): Disposable {
  const { settings, readText, pathOf, clock, log, renewed } = options
  const files = settings.flatMap((entry) => filesOf(entry)).map(pathOf)
  let timer: Timer | undefined
  let closed = false
  const look = async (seen: string): Promise<void> => {
    const now = await stateOf(files)
    if (closed) return
    if (now !== seen) {
      try {
        renewed(loadCertificates(settings, readText))
        log.info('certificates renewed', { files })
      } catch (error) {
        log.error('renewed certificates do not work, the former ones stay', { error })
      }
    }
    timer = clock.after(LOOK_EVERY_MS, () => void look(now))
  }
  const begin = async () => {
    const seen = await stateOf(files)
    if (!closed) timer = clock.after(LOOK_EVERY_MS, () => void look(seen))
  }
  if (files.length > 0) void begin()
  return {
    [Symbol.dispose]() {
      closed = true
      timer?.cancel()
    },
  }
}

function filesOf({ certificate, key }: CertificateSettings): string[] {
  const files = certificate.kind === 'file' ? [certificate.path] : []
  if (key instanceof Secret) return key instanceof FileSecret ? [...files, key.path] : files
  return key.kind === 'file' ? [...files, key.path] : files
}

async function stateOf(files: readonly string[]): Promise<string> {
  const states = await Promise.all(files.map((file) => stat(file).then(identity, () => 'absent')))
  return states.join()
}

function identity({ mtimeMs, size, ino }: { mtimeMs: number; size: number; ino: number }): string {
  return `${mtimeMs}/${size}/${ino}`
}
