// SPDX-License-Identifier: MIT
import { createHash, randomBytes } from 'node:crypto'
import type { DemoMailbox } from '../demo-mailbox.js'

/** A listener of the demo. */
export interface DemoListener {
  readonly protocol: 'imap4' | 'pop3' | 'smtp' | 'http'
  readonly tls: 'implicit' | 'starttls'
  readonly service: string
  readonly port: number
  /** SMTP: the connector that says who may send what here. */
  readonly connector?: 'inbound'
}

/** Mail to this domain is for the demo's users. */
export const DOMAIN = 'example.test'

/** Where the front end signs people out of their web mailbox. */
export const SIGN_OUT = '/logoff.owa'

/** Who can sign in, and which group holds the mailbox. */
export interface DemoUser {
  readonly name: string
  readonly password: string
  readonly group: string
}

/** Names of the files beside the configuration. */
export const FILES = { ca: 'ca.pem', certificate: 'server.pem', key: 'server.key', users: 'users' } as const

/** The configuration of the front end, as somebody would write it. `folder` holds its other files. */
export function configurationText(
  folder: string,
  listeners: readonly DemoListener[],
  groups: ReadonlyMap<string, DemoMailbox>,
): string {
  const at = (file: string) => JSON.stringify(`${folder}/${file}`)
  const blocks = [...groups].map(
    ([name, { host, ports }]) => `  ${name}:
    identity: password
    imap4: { endpoints: ["${host}:${ports.imap4}"] }
    pop3: { endpoints: ["${host}:${ports.pop3}"] }
    smtp: { endpoints: ["${host}:${ports.smtp}"] }
    http: { endpoints: ["http://${host}:${ports.http}"] }
`,
  )
  return `# The front end of the demo. Everything listens on loopback.
version: 1
hostname: localhost
tls:
  - { names: [localhost], certificate: ${at(FILES.certificate)}, key: { file: ${at(FILES.key)} } }
listeners:
${listeners.map(listenerLine).join('')}credentials:
  - { type: users-file, path: ${at(FILES.users)} }
location:
  - { type: users-file, domains: [${DOMAIN}] }
http: { directories: [{ mount: /, auth: [forms, basic] }], forms: { title: Portico demo } }
smtp: { connectors: { inbound: { domains: [${DOMAIN}] } } }
backends:
${blocks.join('')}log: { level: info, format: json, file: ${at('portico.log')} }
admin: { socket: ${at('control')} }
`
}

function listenerLine({ protocol, port, tls, connector }: DemoListener): string {
  const more = connector === undefined ? '' : `, connector: ${connector}`
  return `  - { protocol: ${protocol}, address: "127.0.0.1:${port}", tls: ${tls}${more} }\n`
}

/** The users file: names, salted hashes, and where the mailbox is. */
export function usersText(users: readonly DemoUser[]): string {
  return users.map(({ name, password, group }) => `${name}:${ssha512(password)}::::::group=${group}\n`).join('')
}

function ssha512(password: string): string {
  const salt = randomBytes(16)
  const digest = createHash('sha512').update(password).update(salt).digest()
  return `{SSHA512}${Buffer.concat([digest, salt]).toString('base64')}`
}
