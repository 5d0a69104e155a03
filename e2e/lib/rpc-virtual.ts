// SPDX-License-Identifier: MIT
import type { ProxyChannel } from './rpc-channel.js'
import { ack, command, cookiesOf, FORWARD, type Pdu, PTYPE, RTS, rts, shapeOf } from './rpc-pdus.js'
import { answerTo } from './rpc-service.js'

/** Octets of RPC that the proxy is ready for on an IN channel. */
export const WINDOW = 65_536
const TIMEOUT_MS = 120_000

interface End {
  channel: ProxyChannel
  cookie: string
}

/** A virtual connection at an RPC proxy that is inbound and outbound proxy and the server in one ([MS-RPCH] section 3.2). */
export class VirtualConnection {
  readonly user: string
  /** What came on its channels, beside calls, by {@link shapeOf}. */
  readonly heard: string[] = []
  /** How often the client has acknowledged what came. */
  acks = 0
  closed = false
  readonly established: Promise<void>
  readonly over: Promise<void>
  #establish: () => void = () => undefined
  #end: () => void = () => undefined
  #in: End | undefined
  #out: End
  /** Channels that are to replace those, and what came on them already. */
  #nextIn: (End & { held: Pdu[] }) | undefined
  #nextOut: End | undefined
  /** What the client is still ready for, what has been sent, and what waits. */
  #window: number
  #sent = 0
  readonly #waiting: Buffer[] = []
  #received = 0
  #acknowledged = 0

  /** Begins with CONN/A1 on an OUT channel. */
  constructor(channel: ProxyChannel, { commands }: Pdu, outCookie: string) {
    this.user = channel.credentials
    this.established = new Promise((resolve) => {
      this.#establish = resolve
    })
    this.over = new Promise((resolve) => {
      this.#end = resolve
    })
    this.#out = { channel, cookie: outCookie }
    this.#window = windowIn(commands)
    channel.onEnd = () => this.#ended(channel)
    channel.answer()
    channel.send(rts(RTS.none, command('timeout', TIMEOUT_MS)))
  }

  /** CONN/B1 has come on an IN channel: both halves are there. */
  join(channel: ProxyChannel, inCookie: string): void {
    this.#listen(channel)
    this.#in = { channel, cookie: inCookie }
    this.#control(rts(RTS.none, command('version', 1), command('window', WINDOW), command('timeout', TIMEOUT_MS)))
    this.#establish()
  }

  /** IN_R2/A1: another IN channel is to take the place of the present one, at the same proxy. */
  replaceIn(channel: ProxyChannel, predecessor: string, successor: string): void {
    if (predecessor !== this.#in?.cookie) throw new Error('the IN channel that is to be replaced is another')
    const next: End & { held: Pdu[] } = { channel, cookie: successor, held: [] }
    this.#nextIn = next
    channel.onPdu = (pdu) => next.held.push(pdu)
    channel.onEnd = () => this.#ended(channel)
    this.#control(rts(RTS.none, command('destination', FORWARD.client)))
  }

  /** OUT_R2/A3: the same for an OUT channel. */
  replaceOut(channel: ProxyChannel, pdu: Pdu, predecessor: string, successor: string): void {
    if (predecessor !== this.#out.cookie) throw new Error('the OUT channel that is to be replaced is another')
    this.#nextOut = { channel, cookie: successor }
    this.#window = windowIn(pdu.commands)
    this.#sent = 0
    channel.onPdu = (last) => this.heard.push(shapeOf(last))
    channel.onEnd = () => this.#ended(channel)
    this.#control(rts(RTS.none, command('destination', FORWARD.client), command('ance')))
  }

  /** Asks the client for another OUT channel (OUT_R2/A2). */
  recycleOut(): void {
    this.#control(rts(RTS.recycle, command('destination', FORWARD.client)))
  }

  ping(): void {
    this.#control(rts(RTS.ping))
  }

  /** The server ends it. */
  close(): void {
    if (this.closed) return
    this.closed = true
    for (const end of [this.#in, this.#out, this.#nextIn, this.#nextOut]) end?.channel.finish()
    this.#end()
  }

  #listen(channel: ProxyChannel): void {
    channel.onPdu = (pdu) => this.#take(pdu)
    channel.onEnd = () => this.#ended(channel)
  }

  /** One half is enough to end it, unless another has taken its place. */
  #ended(channel: ProxyChannel): void {
    if ([this.#in, this.#out, this.#nextIn, this.#nextOut].some((end) => end?.channel === channel)) this.close()
  }

  #take(pdu: Pdu): void {
    if (pdu.type === PTYPE.rts) this.#command(pdu)
    else this.#call(pdu)
  }

  #call(pdu: Pdu): void {
    this.#received += pdu.length
    if (this.#received - this.#acknowledged > WINDOW) throw new Error('the client sent more than the window has')
    if (this.#received - this.#acknowledged > WINDOW / 2 && this.#in !== undefined) {
      this.#acknowledged = this.#received
      const channel = Buffer.from(this.#in.cookie, 'hex')
      this.#control(rts(RTS.other, command('destination', FORWARD.client), ack(this.#received, WINDOW, channel)))
    }
    this.#waiting.push(...answerTo(pdu))
    this.#pour()
  }

  #command(pdu: Pdu): void {
    const acknowledged = pdu.commands.find(({ name }) => name === 'ack')?.body
    if (acknowledged !== undefined) {
      this.acks += 1
      if (acknowledged.toString('hex', 8) !== this.#out.cookie) return
      this.#window = acknowledged.readUInt32LE(4) - (this.#sent - acknowledged.readUInt32LE(0))
      this.#pour()
      return
    }
    this.heard.push(shapeOf(pdu))
    const [named] = cookiesOf(pdu)
    if (named === undefined) return
    if (named === this.#nextIn?.cookie) this.#switchIn(this.#nextIn)
    else if (named === this.#nextOut?.cookie) this.#switchOut(this.#nextOut)
    else throw new Error('a cookie that no channel has')
  }

  /** IN_R2/A5 has come on the old one, and is the last there. */
  #switchIn(next: End & { held: Pdu[] }): void {
    const old = this.#in
    this.#in = next
    this.#nextIn = undefined
    this.#received = 0
    this.#acknowledged = 0
    old?.channel.finish()
    this.#listen(next.channel)
    for (const pdu of next.held) this.#take(pdu)
  }

  /** OUT_R2/A8 has come: OUT_R2/B3 is the last on the old one, and the answer on the new one begins. */
  #switchOut(next: End): void {
    const old = this.#out
    this.#control(rts(RTS.eof, command('ance')))
    this.#out = next
    this.#nextOut = undefined
    old.channel.finish()
    next.channel.answer()
    this.#pour()
  }

  /** RTS PDUs are not counted ([MS-RPCH] section 3.2.1.1.5). */
  #control(octets: Buffer): void {
    this.#out.channel.send(octets)
  }

  /** Sends what the client is ready for. */
  #pour(): void {
    while (this.#nextOut === undefined && (this.#waiting[0]?.length ?? Number.POSITIVE_INFINITY) <= this.#window) {
      const next = this.#waiting.shift() as Buffer
      this.#window -= next.length
      this.#sent += next.length
      this.#out.channel.send(next)
    }
  }
}

function windowIn(commands: Pdu['commands']): number {
  return commands.find(({ name }) => name === 'window')?.body.readUInt32LE(0) ?? 0
}
