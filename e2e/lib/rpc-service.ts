// SPDX-License-Identifier: MIT
import { type Pdu, PTYPE, pdu } from './rpc-pdus.js'

/** An interface of ours: what it is asked for by call 0 it says backwards, and by call 1 it gives so many octets. */
export const SERVICE = { uuid: 'b2f7c1a0-5d3e-4c8e-9d41-2f0a6d8c1e57', reverse: 0, give: 1 } as const

/** NDR, version 2 ([C706] section 14). */
const NDR = Buffer.from('045d888aeb1cc9119fe808002b10486002000000', 'hex')
const LARGEST_FRAGMENT = 5_840
/** nca_s_op_rng_error ([C706] appendix E). */
const NO_SUCH_CALL = 0x1c010002

/** What the service says to a PDU, in its fragments. */
export function answerTo({ type, callId, body }: Pdu): Buffer[] {
  if (type === PTYPE.bind) return [pdu(PTYPE.bindAck, 3, callId, bound(body.readUInt32LE(4)))]
  if (type !== PTYPE.request) throw new Error(`the service does not know PDUs of the kind ${type}`)
  const stub = body.subarray(8)
  switch (body.readUInt16LE(6)) {
    case SERVICE.reverse:
      return fragments(callId, Buffer.from(stub).reverse())
    case SERVICE.give:
      return fragments(callId, given(stub.readUInt32LE(0)))
    default: {
      const fault = Buffer.alloc(16)
      fault.writeUInt32LE(NO_SUCH_CALL, 8)
      return [pdu(PTYPE.fault, 3, callId, fault)]
    }
  }
}

/** What call 1 gives. */
export function given(octets: number): Buffer {
  return Buffer.alloc(octets, 'Portico ')
}

/** bind_ack: fragment sizes, association group, the port as the secondary address, one context that is accepted. */
function bound(association: number): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt16LE(LARGEST_FRAGMENT, 0)
  head.writeUInt16LE(LARGEST_FRAGMENT, 2)
  head.writeUInt32LE(association === 0 ? 1 : association, 4)
  return Buffer.concat([head, Buffer.from('\x05\x006001\0\0', 'latin1'), Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]), NDR])
}

function fragments(callId: number, stub: Buffer): Buffer[] {
  const most = LARGEST_FRAGMENT - 24
  const made: Buffer[] = []
  for (let at = 0; at === 0 || at < stub.length; at += most) {
    const part = stub.subarray(at, at + most)
    const head = Buffer.alloc(8)
    head.writeUInt32LE(stub.length - at, 0)
    const flags = (at === 0 ? 1 : 0) | (at + most >= stub.length ? 2 : 0)
    made.push(pdu(PTYPE.response, flags, callId, Buffer.concat([head, part])))
  }
  return made
}

/** A bind to the service, as clients send it. */
export function bindTo(callId: number): Buffer {
  const [low = '', middle = '', high = '', ...rest] = SERVICE.uuid.split('-')
  const swapped = [low, middle, high].map((part) => Buffer.from(part, 'hex').reverse())
  const uuid = Buffer.concat([...swapped, Buffer.from(rest.join(''), 'hex')])
  const head = Buffer.from([0xd0, 0x16, 0xd0, 0x16, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0])
  return pdu(PTYPE.bind, 3, callId, Buffer.concat([head, uuid, Buffer.from([1, 0, 0, 0]), NDR]))
}

/** A call of the service. */
export function callOf(callId: number, operation: number, stub: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32LE(stub.length, 0)
  head.writeUInt16LE(operation, 6)
  return pdu(PTYPE.request, 3, callId, Buffer.concat([head, stub]))
}
