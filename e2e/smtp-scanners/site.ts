// SPDX-License-Identifier: MIT
import { type Dovecot, type Postfix, startDovecot, startPostfix, testCertificates } from '@portico/testkit'
import { arrivedAt, copiesOf } from '../lib/arrival.js'
import { type ClientRun, python, run } from '../lib/clients.js'
import { type ListenerEntry, type Portico, startPortico } from '../lib/portico.js'

/** Agents of each connector by a name of it, which is also that of its listener. */
export type Doors<Name extends string> = Readonly<Record<Name, Door>>

export interface Door {
  readonly agents: readonly Readonly<Record<string, unknown>>[]
  /** Further keys of the connector. */
  readonly connector?: Readonly<Record<string, unknown>>
}

/** A Postfix and a Dovecot behind Portico, whose every listener has agents of its own. */
export interface Site<Name extends string> extends AsyncDisposable {
  readonly portico: Portico<Name>
  readonly dovecot: Dovecot
  readonly postfix: Postfix
  /** Sends a message to alice from a stranger; swaks takes further arguments. */
  send(door: Name, subject: string, ...more: string[]): Promise<ClientRun>
  /** Sends a message to alice as it is, every octet of it. */
  sendRaw(door: Name, message: string): Promise<void>
  /** Sends messages to alice in one session, whatever becomes of each; the replies at their ends. */
  sendInTurn(door: Name, messages: readonly string[]): Promise<readonly string[]>
  /** As it lies in alice's mailbox, or another's, once it does. */
  arrived(subject: string, user?: string): Promise<string>
  /** It is in no mailbox when all that was accepted has been delivered. */
  isNowhere(subject: string): Promise<boolean>
}

const USERS = ['alice', 'bob', 'guard'] as const

export async function startSite<Name extends string>(doors: Doors<Name>): Promise<Site<Name>> {
  const names = Object.keys(doors) as Name[]
  const dovecot = await startDovecot({ users: Object.fromEntries(USERS.map((name) => [name, `${name}pw`])) })
  const postfix = await startPostfix({ lmtpPort: dovecot.ports.lmtp, extra: 'message_size_limit = 0' })
  const tls = { mode: 'starttls', ca: testCertificates().ca.certificateFile, servername: 'localhost' }
  const listeners = {} as Record<Name, ListenerEntry>
  for (const name of names) listeners[name] = { protocol: 'smtp', tls: 'starttls', connector: name }
  const portico = await startPortico({
    listeners,
    users: USERS.map((name) => `${name}:{PLAIN}${name}pw::::::group=mta`),
    backends: { mta: { identity: 'xclient', smtp: { endpoints: [`127.0.0.1:${postfix.port}`], tls } } },
    more: {
      smtp: {
        connectors: Object.fromEntries(
          names.map((name) => [
            name,
            {
              ...{ domains: ['test.lan'], tarpit: '0s' },
              permissions: { anonymous: ['submit', 'any-sender', 'routing-headers'] },
              ...doors[name].connector,
            },
          ]),
        ),
        agents: names.flatMap((name) => doors[name].agents.map((agent) => ({ ...agent, connectors: [name] }))),
      },
    },
  })
  const stop = async (): Promise<void> => {
    await portico.stop()
    await Promise.all([postfix.stop(), dovecot.stop()])
  }
  return {
    ...{ portico, dovecot, postfix },
    send: (door, subject, ...more) =>
      run('swaks', [
        ...['--server', '127.0.0.1', '--port', String(portico.ports[door]), '--helo', 'client.example'],
        ...['--from', 'carol@example.org', '--to', 'alice@test.lan', '--header', `Subject: ${subject}`, ...more],
      ]),
    async sendRaw(door, message) {
      await python(RAW, portico.ports[door], Buffer.from(message, 'latin1').toString('base64'))
    },
    async sendInTurn(door, messages) {
      const encoded = messages.map((message) => Buffer.from(message, 'latin1').toString('base64'))
      return (await python(IN_TURN, portico.ports[door], ...encoded)).trimEnd().split('\n')
    },
    arrived: async (subject, user = 'alice') => (await arrivedAt([dovecot], user, subject, 60_000)).text,
    async isNowhere(subject) {
      await postfix.settled()
      const copies = await Promise.all(USERS.map((user) => copiesOf([dovecot], user, subject)))
      return copies.flat().length === 0
    },
    [Symbol.asyncDispose]: stop,
  }
}

const RAW = `
import base64, smtplib, sys
smtp = smtplib.SMTP('127.0.0.1', int(sys.argv[1]))
smtp.sendmail('carol@example.org', ['alice@test.lan'], base64.b64decode(sys.argv[2]))
smtp.quit()
`

const IN_TURN = `
import base64, smtplib, sys
smtp = smtplib.SMTP('127.0.0.1', int(sys.argv[1]))
smtp.ehlo('client.example')
for message in sys.argv[2:]:
  smtp.mail('carol@example.org')
  smtp.rcpt('alice@test.lan')
  code, words = smtp.data(base64.b64decode(message))
  print(code, words.decode())
smtp.quit()
`

/** The pattern that every filter takes for spam, put together here so that no scanner finds it in this file. */
export const GTUBE = ['XJS*C4JDBQADN1.NSBN3*2IDNEN', '*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*', 'C.34X'].join('')
