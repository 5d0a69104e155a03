// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, NEVER, type Networks, type Timer } from '@portico/base'
import {
  connectLeg,
  type Leg,
  type LegEnd,
  type LegReader,
  type Listener,
  type ListenOptions,
  listen,
  type Octets,
  type TimerWheel,
  type TlsCertificate,
} from '../src/index.js'

/** A clock that moves only when told, and fires what is due in the right order. */
export class ManualClock implements Clock {
  #now = 0
  #pending: { at: number; fire: () => void }[] = []

  get pending(): number {
    return this.#pending.length
  }

  now(): number {
    return this.#now
  }

  wallNow(): number {
    return this.#now
  }

  after(ms: number, fire: () => void): Timer {
    const entry = { at: this.#now + ms, fire }
    this.#pending.push(entry)
    return {
      cancel: () => {
        this.#pending = this.#pending.filter((other) => other !== entry)
      },
    }
  }

  advance(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const next = this.#pending.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#now = Math.max(this.#now, next.at)
      this.#pending = this.#pending.filter((other) => other !== next)
      next.fire()
    }
    this.#now = until
  }

  /** Time passes while the process is held up: timers come late. */
  stall(ms: number): void {
    this.#now += ms
  }
}

/** Remembers everything a reader is told. */
export class Recorder implements LegReader {
  readonly pieces: Buffer[] = []
  ends: LegEnd[] = []
  peerEnds = 0
  drains = 0
  readonly #waiting: { ready: () => boolean; resolve: () => void }[] = []

  get bytes(): Buffer {
    return Buffer.concat(this.pieces)
  }

  get text(): string {
    return this.bytes.toString('latin1')
  }

  onBytes(view: Octets): number {
    this.pieces.push(Buffer.from(view))
    this.#told()
    return view.length
  }

  onDrain(): void {
    this.drains += 1
    this.#told()
  }

  onPeerEnd(): void {
    this.peerEnds += 1
    this.#told()
  }

  onEnd(why: LegEnd): void {
    this.ends.push(why)
    this.#told()
  }

  until(ready: () => boolean): Promise<void> {
    if (ready()) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ ready, resolve }))
  }

  #told(): void {
    for (const { ready, resolve } of this.#waiting) if (ready()) resolve()
  }
}

/** Makes self-signed certificates with the openssl command. */
export function certificateFor(names: readonly string[], key: 'ec' | 'rsa' | 'ed25519' = 'ec'): TlsCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'portico-net-'))
  try {
    const keyFile = join(folder, 'key.pem')
    const certificateFile = join(folder, 'certificate.pem')
    const algorithm = { ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], rsa: ['rsa:2048'], ed25519: ['ed25519'] }[
      key
    ]
    const san = names.map((name) => (/^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`)).join(',')
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', ...algorithm, '-noenc', '-keyout', keyFile, '-out', certificateFile].concat([
        ...['-days', '30', '-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${san}`],
      ]),
      { stdio: 'ignore' },
    )
    return { names, certificate: readFileSync(certificateFile, 'utf8'), key: readFileSync(keyFile, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Legs in the order in which they were accepted. */
export class Accepted {
  readonly refused: { why: string; detail: string | undefined }[] = []
  readonly #legs: Leg[] = []
  readonly #waiting: (() => void)[] = []

  onLeg(leg: Leg): void {
    leg.pause()
    this.#legs.push(leg)
    for (const told of this.#waiting.splice(0)) told()
  }

  onRefused(why: string, detail?: string): void {
    this.refused.push({ why, detail })
    for (const told of this.#waiting.splice(0)) told()
  }

  async next(): Promise<Leg> {
    for (;;) {
      const leg = this.#legs.shift()
      if (leg !== undefined) return leg
      await this.#event()
    }
  }

  async nextRefusal(): Promise<{ why: string; detail: string | undefined }> {
    for (;;) {
      const refusal = this.refused.shift()
      if (refusal !== undefined) return refusal
      await this.#event()
    }
  }

  #event(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

/** A listener on a loopback port that the kernel chooses. */
export async function listenForTest(
  wheel: TimerWheel,
  options: Partial<ListenOptions> = {},
): Promise<{ listener: Listener; accepted: Accepted }> {
  const accepted = new Accepted()
  const listener = await listen({
    name: 'test',
    at: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    tls: { mode: 'none' },
    proxyFrom: undefined,
    proxyHeaderMs: 5_000,
    maxConnections: 1_000,
    maxPerAddress: 1_000,
    tooBusy: new Uint8Array(0),
    wheel,
    onLeg: (leg) => accepted.onLeg(leg),
    onRefused: (why, _peer, detail) => accepted.onRefused(why, detail),
    ...options,
  })
  return { listener, accepted }
}

/** A plain leg to a test listener. */
export async function connectTo(listener: Listener, wheel: TimerWheel): Promise<Leg> {
  const result = await connectLeg(
    { kind: 'tcp', host: '127.0.0.1', port: listener.port },
    { wheel, timeoutMs: 5_000, signal: NEVER },
  )
  if (result.kind !== 'connected') throw new Error(`connect: ${result.code}`)
  return result.leg
}

export const everybody: Networks = { cidrs: ['127.0.0.0/8'], contains: () => true, widthOf: () => 0 }
