// SPDX-License-Identifier: MIT
// The one file that knows smtp-server.
import type { Readable } from 'node:stream'
import { SMTPServer, type SMTPServerAddress, type SMTPServerSession } from 'smtp-server'
import type { Accounts } from './accounts.js'
import type { DemoDirectory } from './mail-store.js'

const MAX_SIZE = 35 * 1024 * 1024

/** An SMTP server that delivers to the INBOX of whoever is in the directory. XCLIENT is taken from loopback. */
export function createSmtpSink(
  name: string,
  accounts: Accounts,
  directory: DemoDirectory,
  tls?: { readonly certificatePem: string; readonly keyPem: string },
): SMTPServer {
  return new SMTPServer({
    name,
    banner: 'demo mailbox',
    size: MAX_SIZE,
    authOptional: true,
    allowInsecureAuth: true,
    authMethods: ['PLAIN', 'LOGIN'],
    useXClient: true,
    disabledCommands: tls === undefined ? ['STARTTLS'] : [],
    secure: tls !== undefined,
    closeTimeout: 200,
    ...(tls === undefined ? {} : { cert: tls.certificatePem, key: tls.keyPem }),
    onAuth(auth, _session, callback) {
      const account = accounts.login(auth.username ?? '', auth.password ?? '')
      if (account === undefined) callback(refusal(535, 'wrong name or password'))
      else callback(null, { user: account.name })
    },
    onRcptTo(address, _session, callback) {
      callback(directory.find(address.address) === undefined ? refusal(550, '5.1.1 no such mailbox') : undefined)
    },
    onData(stream, session, callback) {
      void readAll(stream).then((raw) => {
        if (stream.sizeExceeded) callback(refusal(552, '5.3.4 message too big'))
        else {
          deliver(Buffer.concat([Buffer.from(traceOf(name, session)), raw]), session.envelope.rcptTo, directory)
          callback(null, '2.0.0 delivered')
        }
      }, callback)
    },
  })
}

function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode })
}

async function readAll(stream: Readable): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

function deliver(raw: Buffer, recipients: readonly SMTPServerAddress[], directory: DemoDirectory): void {
  for (const account of new Set(recipients.map(({ address }) => directory.find(address)))) account?.inbox.append(raw)
}

/** RFC 5321 section 4.4. */
function traceOf(name: string, session: SMTPServerSession): string {
  const sender = session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address
  const from = `from ${session.hostNameAppearsAs || 'unknown'} ([${session.remoteAddress}])`
  return `Return-Path: <${sender}>\r\nReceived: ${from}\r\n\tby ${name} with ESMTP; ${new Date().toUTCString()}\r\n`
}
