// SPDX-License-Identifier: MIT
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import type { FakeClock } from '../fake-clock.js'
import type { PlayedBackend } from './backends.js'
import { type Pacing, Wire } from './channel.js'
import { type Channel, parseChannel, parseDuration, type Step, type Transcript } from './parse.js'
import { type Captures, expand, match, parsePattern } from './pattern.js'

/** How the octets of a conversation are cut into writes. */
export type Variant = 'whole lines' | 'one-byte writes' | 'one write'

/** What a performance needs of the world. */
export interface Scene {
  readonly port: number
  /** Addresses that clients come from, by their number; 127.0.0.1 unless said. */
  readonly from?: ReadonlyMap<number, string>
  readonly implicitTls: boolean
  readonly backends: ReadonlyMap<number, PlayedBackend>
  readonly backendTls: 'none' | 'starttls' | 'implicit'
  readonly clock: FakeClock | undefined
  /** Begins draining; what follows in the transcript happens meanwhile. */
  readonly drain: () => void
}

const PATIENCE_MS = 3_000
const QUIET_MS = 50

/** Plays one transcript to its end. Throws with the line, what was expected, what came, and the conversation so far. */
export async function perform(transcript: Transcript, variant: Variant, scene: Scene): Promise<void> {
  const performance = new Performance(transcript, variant, scene)
  try {
    await performance.play()
  } finally {
    performance.close()
  }
}

class Performance {
  readonly #transcript: Transcript
  readonly #variant: Variant
  readonly #scene: Scene
  readonly #clients = new Map<number, Wire>()
  readonly #secured = new Set<Wire>()
  readonly #captures: Captures = new Map()
  readonly #spoken: string[] = []
  #splitNext: number | undefined
  #onePacket = false

  constructor(transcript: Transcript, variant: Variant, scene: Scene) {
    this.#transcript = transcript
    this.#variant = variant
    this.#scene = scene
    for (const [number, { port }] of scene.backends) this.#captures.set(`port${number}`, String(port))
  }

  async play(): Promise<void> {
    const { steps } = this.#transcript
    for (let at = 0; at < steps.length; ) {
      const step = steps[at]
      if (step === undefined) break
      // The client comes when the stage is set: after what is refused from the beginning.
      if (!(step.kind === 'directive' && step.name === 'refuse')) await this.#client(1)
      if (step.kind === 'send') {
        const group = this.#sentTogether(steps, at)
        await this.#send(group)
        at += group.length
        continue
      }
      if (step.kind === 'expect') await this.#expect(step)
      else await this.#direct(step)
      at++
    }
    await this.#nothingLeft()
  }

  close(): void {
    for (const wire of this.#clients.values()) wire.destroy()
  }

  /** The steps from `at` on that go out in one write. */
  #sentTogether(steps: readonly Step[], at: number): Extract<Step, { kind: 'send' }>[] {
    const group: Extract<Step, { kind: 'send' }>[] = []
    const together = this.#onePacket || (this.#variant === 'one write' && this.#splitNext === undefined)
    for (const step of steps.slice(at)) {
      if (step.kind !== 'send') break
      if (group[0] !== undefined && !(together && sameChannel(group[0].channel, step.channel))) break
      group.push(step)
    }
    return group
  }

  async #send(group: readonly Extract<Step, { kind: 'send' }>[]): Promise<void> {
    const [first] = group
    if (first === undefined) return
    const wire = await this.#wire(first.channel, first.line, canHear)
    const octets = group
      .map(
        (step) =>
          this.#reading(step, () => expand(parsePattern(step.text), this.#captures)) + (step.crlf ? '\r\n' : ''),
      )
      .join('')
    this.#note(first.channel, 'send', octets)
    await wire.send(octets, this.#pacing())
    this.#splitNext = undefined
  }

  #pacing(): Pacing {
    if (this.#splitNext !== undefined) return { kind: 'split', octets: this.#splitNext }
    if (this.#onePacket || this.#variant !== 'one-byte writes') return { kind: 'whole' }
    return { kind: 'split', octets: 1 }
  }

  async #expect(step: Extract<Step, { kind: 'expect' }>): Promise<void> {
    const wire = await this.#wire(step.channel, step.line, (candidate) => candidate.received !== '' || !candidate.ended)
    const parts = this.#reading(step, () => parsePattern(step.text))
    const check = () => this.#reading(step, () => match(parts, step.crlf, wire.received, this.#captures))
    const waited = await wire.until(() => check().kind !== 'more', PATIENCE_MS)
    const outcome = check()
    if (outcome.kind === 'matched') {
      this.#note(step.channel, 'expect', wire.received.slice(0, outcome.length))
      wire.received = wire.received.slice(outcome.length)
      for (const [name, value] of outcome.captured) this.#captures.set(name, value)
      return
    }
    const actual = outcome.kind === 'differs' ? outcome.actual : wire.received
    const why = {
      satisfied: 'something else came',
      ended: 'the connection ended',
      timeout: 'nothing more came in time',
    }
    throw this.#failure(step.line, why[waited], `${step.text}${step.crlf ? '' : '\\'}`, actual)
  }

  async #direct(step: Extract<Step, { kind: 'directive' }>): Promise<void> {
    const { name, argument, line } = step
    this.#spoken.push(`@${name} ${argument}`)
    if (name === 'one-packet' || name === 'end') this.#onePacket = name === 'one-packet'
    else if (name === 'split') this.#splitNext = Number(argument)
    else if (name === 'clock') await this.#clock(argument, line)
    else if (name === 'idle') await this.#idle(line)
    else if (name === 'drain') this.#scene.drain()
    else await this.#directChannel(name, argument, line)
  }

  async #directChannel(name: string, argument: string, line: number): Promise<void> {
    const channel = parseChannel(argument)
    if (channel === undefined) throw this.#failure(line, `@${name} does not know ${argument}`)
    const backend = this.#scene.backends.get(channel.index)
    if (name === 'refuse') return backend?.refuse()
    if (name === 'next' || name === 'accept' || name === 'hang') {
      await this.#arrival(channel, line, name === 'next')
      return
    }
    const receives = name === 'eof' && !/^B/.test(argument)
    const wire = await this.#wire(channel, line, (candidate) => receives || canHear(candidate))
    if (name === 'connect') return
    if (name === 'tls') return this.#tls(channel, wire, line)
    if (name === 'reset') return wire.reset()
    if (!receives) return wire.fin()
    const waited = await wire.until(() => false, PATIENCE_MS)
    if (wire.received !== '') throw this.#failure(line, 'octets came before the end', '', wire.received)
    if (waited !== 'ended') throw this.#failure(line, 'the connection did not end')
    wire.endNoted = true
  }

  async #tls(channel: Channel, wire: Wire, line: number): Promise<void> {
    if (channel.side === 'client' && wire.received !== '') {
      throw this.#failure(line, 'octets came before the TLS handshake', '', wire.received)
    }
    try {
      await (channel.side === 'client' ? wire.tlsClient() : wire.tlsServer())
    } catch (error) {
      throw this.#failure(line, `TLS handshake: ${(error as Error).message}`)
    }
  }

  async #clock(argument: string, line: number): Promise<void> {
    const ms = parseDuration(argument)
    if (ms === undefined || this.#scene.clock === undefined)
      throw this.#failure(line, `cannot move the clock by ${argument}`)
    await sleep(5)
    await this.#scene.clock.advance(ms)
  }

  async #idle(line: number): Promise<void> {
    await sleep(QUIET_MS)
    this.#quiet(line)
  }

  #quiet(line: number): void {
    const { backends } = this.#scene
    const wires = [...this.#clients.values(), ...[...backends.values()].flatMap((backend) => backend.wires)]
    const talking = wires.find((wire) => wire.received !== '')
    if (talking !== undefined) throw this.#failure(line, 'octets came that nothing expects', '', talking.received)
  }

  async #nothingLeft(): Promise<void> {
    await sleep(10)
    const line = this.#transcript.steps.at(-1)?.line ?? 0
    this.#quiet(line)
    for (const [number, backend] of this.#scene.backends) {
      if (backend.unnoticed.length === 0) continue
      throw this.#failure(line, `backend ${number} was connected to, and no line speaks of it`)
    }
  }

  async #wire(channel: Channel, line: number, usable: (wire: Wire) => boolean): Promise<Wire> {
    if (channel.side === 'client') return this.#client(channel.index)
    const backend = this.#scene.backends.get(channel.index)
    const wire = await backend?.current(PATIENCE_MS, usable)
    if (wire === undefined) throw this.#failure(line, `no connection came to backend ${channel.index}`)
    return this.#secure(wire, line)
  }

  async #arrival(channel: Channel, line: number, mustBeNew: boolean): Promise<void> {
    const backend = this.#scene.backends.get(channel.index)
    const wire = await (mustBeNew ? backend?.next(PATIENCE_MS) : backend?.current(PATIENCE_MS))
    if (wire === undefined) throw this.#failure(line, `no connection came to backend ${channel.index}`)
  }

  async #secure(wire: Wire, line: number): Promise<Wire> {
    if (this.#scene.backendTls !== 'implicit' || this.#secured.has(wire)) return wire
    this.#secured.add(wire)
    await this.#tls({ side: 'backend', index: 1 }, wire, line)
    return wire
  }

  async #client(index: number): Promise<Wire> {
    const present = this.#clients.get(index)
    if (present !== undefined) return present
    const wire = await Wire.connect(this.#scene.port, this.#scene.from?.get(index))
    this.#clients.set(index, wire)
    if (this.#scene.implicitTls) await wire.tlsClient()
    return wire
  }

  #note(channel: Channel, kind: 'send' | 'expect', octets: string): void {
    const letter = channel.side === 'client' ? (kind === 'send' ? 'C' : 'S') : kind === 'send' ? 'B' : 'P'
    const number = channel.index === 1 ? '' : channel.index
    for (const line of octets.split(/(?<=\n)/)) this.#spoken.push(`${letter}${number}: ${show(line)}`)
  }

  #reading<T>(step: { readonly line: number }, read: () => T): T {
    try {
      return read()
    } catch (error) {
      throw error instanceof SyntaxError ? this.#failure(step.line, error.message) : error
    }
  }

  #failure(line: number, what: string, expected?: string, actual?: string): Error {
    const { backends } = this.#scene
    const unread = [
      ...[...this.#clients].map(([index, wire]) => [`client ${index}`, wire.received]),
      ...[...backends].flatMap(([index, backend]) => backend.wires.map((wire) => [`backend ${index}`, wire.received])),
    ].filter(([, received]) => received !== '')
    return new Error(
      [
        `${this.#transcript.file}:${line} (${this.#variant}): ${what}`,
        ...(expected === undefined ? [] : [`  expected: ${expected}`]),
        ...(actual === undefined ? [] : [`  actual:   ${show(actual)}`]),
        '  the conversation so far:',
        ...this.#spoken.map((spoken) => `    ${spoken}`),
        ...unread.map(([who, received]) => `    unread at ${who}: ${show(received ?? '')}`),
      ].join('\n'),
    )
  }
}

/** Whether what we send on a connection can be meant: the peer has not finished, or has and the transcript knows it. */
function canHear(wire: Wire): boolean {
  return !wire.ended || (wire.endNoted && !wire.closed)
}

function sameChannel(a: Channel, b: Channel): boolean {
  return a.side === b.side && a.index === b.index
}

/** Octets as a reader can tell them apart; long ones are cut. */
function show(octets: string): string {
  const cut = octets.length > 400 ? `${octets.slice(0, 400)}… (${octets.length} octets)` : octets
  return inspect(cut, { breakLength: 1e9 }).slice(1, -1)
}
