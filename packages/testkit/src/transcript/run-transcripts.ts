// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@portico/base'
import { parseConfig, resolveSecrets } from '@portico/config'
import { createFrontEnd, type FrontEndOptions } from '@portico/frontend'
import { byRendezvous } from '@portico/routing'
import { describe, expect, test } from 'vitest'
import { createFakeClock } from '../fake-clock.js'
import { PlayedBackend } from './backends.js'
import { captureLog, linesShowing } from './log.js'
import { parseTranscript, type Transcript } from './parse.js'
import { perform, type Variant } from './perform.js'
import { readStage, type Stage, stageConfig } from './stage.js'

/** A protocol as a front end takes it. */
export type HostedProtocol = FrontEndOptions['protocols'][number]

export interface TranscriptOptions {
  /** Laid over the configuration of every transcript in the folder, before the transcript's own. */
  readonly config?: unknown
}

const VARIANTS: readonly Variant[] = ['whole lines', 'one-byte writes', 'one write']

/**
 * Defines one test for each file of the folder (and of the folders in it) and each way of cutting its octets: whole lines,
 * one-byte writes, and consecutive lines in one write. Real sockets on loopback; a fake clock where a transcript moves it.
 * The log of every run is searched for the transcript's passwords.
 */
export function runTranscripts(folder: URL | string, protocol: HostedProtocol, options: TranscriptOptions = {}): void {
  const root = folder instanceof URL ? fileURLToPath(folder) : folder
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^\.|\.(?:ts|md)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  test('there are transcripts', () => expect(files.length).toBeGreaterThan(0))
  for (const file of files) {
    const transcript = parseTranscript(relative(root, file), readFileSync(file, 'utf8'))
    describe(`${transcript.title} [${transcript.file}]`, () => {
      for (const variant of VARIANTS) {
        test(variant, () => runTranscript(transcript, variant, protocol, options))
      }
    })
  }
}

/** Runs one transcript in one way. Rejects when the conversation went differently, or a password is seen in the log. */
export async function runTranscript(
  transcript: Transcript,
  variant: Variant,
  protocol: HostedProtocol,
  options: TranscriptOptions = {},
): Promise<void> {
  const stage = readStage(transcript, protocol.name)
  const clock = transcript.steps.some((step) => step.kind === 'directive' && step.name === 'clock')
    ? createFakeClock()
    : undefined
  const log = captureLog()
  const backends = await listen(stage, protocol.name)
  try {
    const ports = new Map([...backends].map(([number, backend]) => [number, backend.port]))
    using staged = stageConfig(stage, protocol.name, ports, options.config, readExtra(stage, transcript.file))
    await using frontEnd = await createFrontEnd({
      config: staged.config,
      protocols: [protocol],
      clock: clock ?? systemClock,
      log,
    })
    const port = frontEnd.listeners[0]?.port
    if (port === undefined) throw new Error('the front end does not listen')
    const { tls } = stage.listen
    let drained: Promise<void> | undefined
    await perform(transcript, variant, {
      port,
      from: stage.from,
      implicitTls: tls === 'implicit',
      backends,
      backendTls: stage.backendTls,
      clock,
      drain: () => {
        drained = frontEnd.drain()
      },
    })
    if (drained !== undefined) {
      // The clients have gone; with the backends nobody is left whom draining could wait for.
      for (const backend of backends.values()) backend.close()
      await drained
    }
    await frontEnd.close()
  } finally {
    for (const backend of backends.values()) backend.close()
  }
  checkEnded(stage, transcript.file, log.lines)
  const shown = linesShowing(stage.secrets, log.lines)
  if (shown.length > 0) throw new Error(`${transcript.file}: the log shows a password:\n${shown.join('\n')}`)
}

function checkEnded({ ended }: Stage, file: string, lines: readonly string[]): void {
  if (ended === undefined) return
  const ends = lines.filter((line) => /^info session ended /.test(line))
  if (ends.some((line) => line.includes(`reason: '${ended}'`))) return
  throw new Error(`${file}: no session ended as ${ended}:\n${ends.join('\n')}`)
}

/** The kernel gives the ports; the backends of a group are numbered in the order in which the first user asks them. */
async function listen(stage: Stage, protocol: string): Promise<Map<number, PlayedBackend>> {
  const backends = new Map<number, PlayedBackend>()
  const [user] = stage.users
  for (const [group, numbers] of stage.groups) {
    const fresh = numbers.filter((number) => !backends.has(number))
    const played = await Promise.all(fresh.map(() => PlayedBackend.listen()))
    const named = played.map((backend) => ({ id: `${group}/${protocol}/127.0.0.1:${backend.port}`, backend }))
    const ordered = byRendezvous(named, user?.name ?? '')
    fresh.forEach((number, at) => {
      const backend = ordered[at]?.backend
      if (backend !== undefined) backends.set(number, backend)
    })
  }
  return backends
}

function readExtra(stage: Stage, file: string): unknown {
  if (stage.extra === undefined) return undefined
  return resolveSecrets(parseConfig(stage.extra, file).value, { directory: tmpdir(), env: process.env })
}
