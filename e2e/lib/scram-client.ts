// SPDX-License-Identifier: MIT
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'

export interface ScramLogin {
  readonly port: number
  readonly ca: string
  readonly user: string
  readonly password: string
  /** Bind to the channel by tls-exporter (RFC 9266), or say `y`: able to, but not offered. */
  readonly flag: 'plus' | 'y'
}

/** Signs in to IMAP4 by SCRAM-SHA-256 (RFC 7677) over TLS, as no mail program here can; the tagged answer, and the line before it. */
export async function imapScram(login: ScramLogin): Promise<readonly [string, string]> {
  const socket = connect({ host: '127.0.0.1', port: login.port, ca: login.ca, servername: 'localhost' })
  try {
    await once(socket, 'secureConnect')
    return await exchange(socket, login)
  } finally {
    socket.destroy()
  }
}

async function exchange(socket: TLSSocket, login: ScramLogin): Promise<readonly [string, string]> {
  const lines = socket.iterator()
  let held = ''
  const line = async (): Promise<string> => {
    while (!held.includes('\r\n')) {
      const { value, done } = await lines.next()
      if (done) throw new Error('the server closed')
      held += String(value)
    }
    const text = held.slice(0, held.indexOf('\r\n'))
    held = held.slice(text.length + 2)
    return text
  }
  await line()
  const plus = login.flag === 'plus'
  const header = plus ? 'p=tls-exporter,,' : 'y,,'
  const data = plus ? socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)) : Buffer.alloc(0)
  const bare = `n=${login.user},r=${randomBytes(12).toString('base64')}`
  socket.write(`a AUTHENTICATE SCRAM-SHA-256${plus ? '-PLUS' : ''} ${base64(header + bare)}\r\n`)
  const first = await line()
  if (!first.startsWith('+ ')) return [first, '']
  const channel = Buffer.concat([Buffer.from(header), data]).toString('base64')
  const { final, signature } = answer(unbase64(first.slice(2)), bare, channel, login.password)
  socket.write(`${base64(final)}\r\n`)
  const last = await line()
  if (!last.startsWith('+ ')) return [last, '']
  if (unbase64(last.slice(2)) !== signature) throw new Error('the server does not know the password')
  socket.write('\r\n')
  return [await line(), last]
}

function answer(serverFirst: string, bare: string, channel: string, password: string) {
  const [, nonce = '', salt = '', count = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? []
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(count), 32, 'sha256')
  const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  const clientKey = hmac(salted, 'Client Key')
  const signed = `${bare},${serverFirst},c=${channel},r=${nonce}`
  const mask = hmac(createHash('sha256').update(clientKey).digest(), signed)
  const proof = Buffer.from(clientKey.map((octet, index) => octet ^ (mask[index] ?? 0))).toString('base64')
  const signature = `v=${hmac(hmac(salted, 'Server Key'), signed).toString('base64')}`
  return { final: `c=${channel},r=${nonce},p=${proof}`, signature }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const unbase64 = (text: string): string => Buffer.from(text, 'base64').toString()
