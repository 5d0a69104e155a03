// SPDX-License-Identifier: MIT
import { randomBytes } from 'node:crypto'
import { OctetClient } from './octet-client.js'
import { ack, command, cookie, FORWARD, group, type Pdu, PduReader, PTYPE, RTS, rts, shapeOf } from './rpc-pdus.js'
import { bindTo, callOf } from './rpc-service.js'

const WINDOW = 65_536
const IN_LENGTH = 1024 ** 3

/** Where Outlook asks, and as whom. */
export interface OutlookSetting {
  /** Of a listener with TLS. */
  readonly port: number
  /** The same of another node, for IN channels. */
  readonly inPort?: number
  /** `name:password`. */
  readonly credentials: string
  /** `server:port`. */
  readonly server?: string
  /** Begins with its IN channel, and not with its OUT channel. */
  readonly inFirst?: boolean
}

/** One channel at its client. */
class ClientChannel {
  readonly id = randomBytes(16)
  readonly client: OctetClient
  readonly #reader = new PduReader()

  private constructor(client: OctetClient) {
    this.client = client
  }

  static async open(setting: OutlookSetting, method: string, length: number): Promise<ClientChannel> {
    const { port, inPort = port, credentials, server = 'mbx:6001' } = setting
    const client = await OctetClient.tls(method === 'RPC_IN_DATA' ? inPort : port)
    const head = [
      `${method} /rpc/rpcproxy.dll?${server} HTTP/1.1`,
      'Host: localhost',
      'Accept: application/rpc',
      'User-Agent: MSRPC',
      'Cache-Control: no-cache',
      'Pragma: No-cache',
      'Connection: Keep-Alive',
      `Authorization: Basic ${Buffer.from(credentials).toString('base64')}`,
      `Content-Length: ${length}`,
    ]
    await client.send(`${head.join('\r\n')}\r\n\r\n`)
    return new ClientChannel(client)
  }

  /** The status line of the answer; its fields are passed over. */
  async answer(): Promise<string> {
    const status = await this.client.line()
    while ((await this.client.line()) !== '');
    return status ?? 'nothing'
  }

  /** The next PDU; `undefined` at the end of the connection. */
  async next(): Promise<Pdu | undefined> {
    const head = await this.#read(16)
    if (head.length < 16) return undefined
    const rest = await this.#read(head.readUInt16LE(8) - 16)
    return this.#reader.push(Buffer.concat([head, rest]))[0]
  }

  async #read(octets: number): Promise<Buffer> {
    const parts: Buffer[] = []
    await this.client.take(octets, { update: (part) => parts.push(Buffer.from(part)) })
    return Buffer.concat(parts)
  }
}

/** A client of RPC over HTTP that also replaces its channels, as Outlook does ([MS-RPCH] section 3.2.2). */
export class Outlook {
  readonly #setting: OutlookSetting
  readonly #cookie = randomBytes(16)
  #in: ClientChannel
  #out: ClientChannel
  #calls = 0
  #received = 0
  #acknowledged = 0
  /** RTS PDUs that came between calls. */
  readonly heard: string[] = []

  private constructor(setting: OutlookSetting, out: ClientChannel, inside: ClientChannel) {
    this.#setting = setting
    this.#out = out
    this.#in = inside
  }

  /** Opens both channels, OUT first, and binds. Throws with the status line of an OUT channel that is refused. */
  static async connect(setting: OutlookSetting): Promise<Outlook> {
    const out = await ClientChannel.open(setting, 'RPC_OUT_DATA', 76)
    const inside = await ClientChannel.open(setting, 'RPC_IN_DATA', IN_LENGTH)
    const outlook = new Outlook(setting, out, inside)
    await outlook.#establish()
    return outlook
  }

  async #establish(): Promise<void> {
    const [version, own] = [command('version', 1), cookie(this.#cookie)]
    const [lifetime, keepAlive] = [command('lifetime', IN_LENGTH), command('keepAlive', 300_000)]
    const first = rts(RTS.none, version, own, cookie(this.#in.id), lifetime, keepAlive, group(randomBytes(16)))
    if (this.#setting.inFirst === true) await this.#in.client.send(first)
    await this.#out.client.send(rts(RTS.none, version, own, cookie(this.#out.id), command('window', WINDOW)))
    // The OUT channel is answered although there is no IN channel yet.
    const status = await this.#out.answer()
    if (status !== 'HTTP/1.1 200 Success') throw new Error(status)
    await this.#expect('0: timeout')
    if (this.#setting.inFirst !== true) await this.#in.client.send(first)
    await this.#expect('0: version window timeout')
    await this.#in.client.send(bindTo(this.#calls++))
    await this.#expect('bindAck')
  }

  /** Makes a call; its whole answer. */
  async call(operation: number, stub: Buffer): Promise<Buffer> {
    const callId = this.#calls++
    await this.#in.client.send(callOf(callId, operation, stub))
    const parts: Buffer[] = []
    for (;;) {
      const pdu = await this.#pdu()
      if (pdu.type === PTYPE.rts) {
        this.heard.push(shapeOf(pdu))
        continue
      }
      if (pdu.type !== PTYPE.response || pdu.callId !== callId) throw new Error(`instead of an answer: ${shapeOf(pdu)}`)
      parts.push(pdu.body.subarray(8))
      if ((pdu.flags & 2) !== 0) return Buffer.concat(parts)
    }
  }

  /** Sends an RTS PDU without commands, which nobody answers. */
  async ping(): Promise<void> {
    await this.#in.client.send(rts(RTS.ping))
  }

  /** Puts another IN channel in the place of the present one (IN_R2). */
  async recycleIn(): Promise<void> {
    const next = await ClientChannel.open(this.#setting, 'RPC_IN_DATA', IN_LENGTH)
    const cookies = [cookie(this.#cookie), cookie(this.#in.id), cookie(next.id)]
    await next.client.send(rts(RTS.recycle, command('version', 1), ...cookies))
    await this.#expect('0: destination')
    const old = this.#in
    await old.client.send(rts(RTS.none, cookie(next.id)))
    this.#in = next
    await old.client.rest()
    old.client.destroy()
  }

  /** Waits for the wish of the server, and puts another OUT channel in the place of the present one (OUT_R2). */
  async recycleOut(): Promise<void> {
    await this.#expect('4: destination')
    const next = await ClientChannel.open(this.#setting, 'RPC_OUT_DATA', 120)
    const cookies = [cookie(this.#cookie), cookie(this.#out.id), cookie(next.id)]
    await next.client.send(rts(RTS.recycle, command('version', 1), ...cookies, command('window', WINDOW)))
    await this.#expect('0: destination ance')
    const there = command('destination', FORWARD.server)
    await this.#in.client.send(rts(RTS.out, there, cookie(next.id), command('version', 1)))
    await this.#expect(`${RTS.eof}: ance`)
    if ((await this.#out.next()) !== undefined) throw new Error('something came behind the last PDU')
    this.#out.client.destroy()
    this.#out = next
    this.#received = 0
    this.#acknowledged = 0
    await next.client.send(rts(RTS.none, command('ance')))
    const status = await next.answer()
    if (status !== 'HTTP/1.1 200 Success') throw new Error(status)
  }

  /** Both channels have ended; what was said on the IN channel. */
  async ended(): Promise<string> {
    while ((await this.#out.next()) !== undefined);
    return (await this.#in.client.rest()).toString('latin1')
  }

  /** The client goes without a word: one channel, or both. */
  vanish(which: 'in' | 'out' | 'both' = 'both'): void {
    if (which !== 'out') this.#in.client.destroy()
    if (which !== 'in') this.#out.client.destroy()
  }

  /** It says that it will send no more on its OUT channel. */
  finishOut(): void {
    this.#out.client.fin()
  }

  async #expect(shape: string): Promise<void> {
    const found = shapeOf(await this.#pdu())
    if (found !== shape) throw new Error(`expected ${shape}, got ${found}`)
  }

  /** The next PDU of the OUT channel; what is counted is acknowledged on the IN channel. */
  async #pdu(): Promise<Pdu> {
    const pdu = await this.#out.next()
    if (pdu === undefined) throw new Error('the OUT channel has ended')
    if (pdu.type === PTYPE.rts) return pdu
    this.#received += pdu.length
    if (this.#received - this.#acknowledged > WINDOW / 2) {
      this.#acknowledged = this.#received
      const there = command('destination', FORWARD.outProxy)
      await this.#in.client.send(rts(RTS.other, there, ack(this.#received, WINDOW, this.#out.id)))
    }
    return pdu
  }
}
