// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Dovecot, type Postfix, startDovecot, startPostfix, testCertificates } from '@portico/testkit'
import { succeed } from './clients.js'
import { PORTICO, type Portico, startPortico } from './portico.js'
import { eventually } from './scenario.js'

export type SiteName = 'berlin' | 'munich'

/** The name that clients know a site by; the port is that of its HTTPS listener. */
export const hostOf = (name: SiteName): string => `${name}.test.lan`

/** Which clients a site sends to the other one, as `sites.<name>.redirect` has it. */
export type Redirects = Readonly<Record<string, unknown>>

/** One site: mail servers, an application, and the Portico in front of them. */
export interface Site {
  readonly name: SiteName
  readonly dovecot: Dovecot
  readonly postfix: Postfix
  readonly portico: Portico<'imaps' | 'pop3s' | 'submissions' | 'https'>
  /** `https://host:port`, as clients write it. */
  readonly url: string
  /** Whether each site sends clients to the other one; the front end has loaded it when this resolves. */
  redirect(redirects: Redirects): Promise<void>
}

/** alice is at the first site and bob at the second. Of lost and gone each directory says that they are at the other site. */
export interface TwoSites extends AsyncDisposable {
  readonly berlin: Site
  readonly munich: Site
}

const AT_HOME = { berlin: 'alice', munich: 'bob' } as const
const EVERYBODY = ['alice', 'bob', 'lost', 'gone']
export const passwordOf = (user: string): string => `${user}-password`

interface Half {
  readonly name: SiteName
  readonly dovecot: Dovecot
  readonly postfix: Postfix
  readonly app: Application
  readonly portico: Portico<'imaps' | 'pop3s' | 'submissions' | 'https'>
}

export async function startTwoSites(): Promise<TwoSites> {
  const [berlin, munich] = await Promise.all([startHalf('berlin'), startHalf('munich')])
  const sites = { berlin: siteOf(berlin, munich), munich: siteOf(munich, berlin) }
  await Promise.all([sites.berlin.redirect({}), sites.munich.redirect({})])
  return {
    ...sites,
    async [Symbol.asyncDispose]() {
      for (const { portico, postfix, dovecot, app } of [berlin, munich]) {
        await portico.stop()
        await Promise.all([postfix.stop(), dovecot.stop(), app[Symbol.asyncDispose]()])
      }
    },
  }
}

/** A site that knows nothing of the other yet: whose ports are to be known has to be there first. */
async function startHalf(name: SiteName): Promise<Half> {
  const user = AT_HOME[name]
  const dovecot = await startDovecot({ name, users: { [user]: passwordOf(user) } })
  dovecot.deliver(user, `From: carol@test.lan\r\nTo: ${user}@test.lan\r\nSubject: kept in ${name}\r\n\r\nhello\r\n`)
  const { lmtp, sasl } = dovecot.ports
  const postfix = await startPostfix({ name: `mta.${name}`, lmtpPort: lmtp, saslPort: sasl })
  const app = await startApplication(name)
  const portico = await startPortico({
    listeners: {
      imaps: { protocol: 'imap4', tls: 'implicit' },
      pop3s: { protocol: 'pop3', tls: 'implicit' },
      submissions: { protocol: 'smtp', tls: 'implicit', connector: 'client' },
      https: { protocol: 'http', tls: 'implicit' },
    },
    users: EVERYBODY.map((each) => `${each}:{PLAIN}${passwordOf(each)}::::::group=${each === user ? 'here' : 'there'}`),
    backends: { here: groupHere(dovecot, postfix, app), there: groupHere(dovecot, postfix, app) },
    more: {
      networks: { proxies: ['127.0.0.1/32'] },
      http: {
        directories: ['owa', 'ews', 'mapi', 'activesync', 'autodiscover', 'caldav', 'jmap'].map((preset) => ({
          preset,
        })),
        forms: { title: 'Mail of test.lan' },
      },
      smtp: { connectors: { client: { tarpit: '0s', extensions: ['8BITMIME'] } } },
    },
  })
  return { name, dovecot, postfix, app, portico }
}

function siteOf({ name, dovecot, postfix, app, portico }: Half, other: Half): Site {
  const urlOf = (half: Half) => `https://${hostOf(half.name)}:${half.portico.ports.https}`
  const url = `https://${hostOf(name)}:${portico.ports.https}`
  let reloads = 0
  return {
    name,
    dovecot,
    postfix,
    portico,
    url,
    async redirect(redirects) {
      portico.rewrite({
        ...portico.config,
        publish: { domains: ['test.lan'], http: { host: hostOf(name), port: portico.ports.https } },
        site: name,
        sites: {
          [name]: { http: url, imap4: `imap.${name}.test.lan` },
          [other.name]: { http: urlOf(other), imap4: `imap.${other.name}.test.lan`, redirect: redirects },
        },
        backends: { here: groupHere(dovecot, postfix, app), there: groupThere(other) },
      })
      await succeed(process.execPath, [PORTICO, 'reload', '--config', portico.configFile])
      reloads += 1
      await eventually(() => {
        if (portico.log().split('"message":"reloaded"').length <= reloads) throw new Error('not reloaded yet')
      })
    },
  }
}

function tlsOf(mode: 'implicit' | 'starttls'): object {
  return { mode, ca: testCertificates().ca.certificateFile, servername: 'localhost' }
}

function groupHere(dovecot: Dovecot, postfix: Postfix, app: Application): object {
  const implicit = tlsOf('implicit')
  return {
    identity: 'password',
    imap4: { endpoints: [`127.0.0.1:${dovecot.ports.imaps}`], tls: implicit },
    pop3: { endpoints: [`127.0.0.1:${dovecot.ports.pop3s}`], tls: implicit },
    smtp: { endpoints: [`127.0.0.1:${postfix.port}`], tls: tlsOf('starttls') },
    http: { endpoints: [`http://127.0.0.1:${app.port}`] },
  }
}

function groupThere({ name, portico: { ports } }: Half): object {
  const tls = tlsOf('implicit')
  return {
    identity: 'password',
    site: name,
    // The log of the other site then tells of sessions with clients only.
    pool: { warm: 0 },
    imap4: { endpoints: [`127.0.0.1:${ports.imaps}`], tls },
    pop3: { endpoints: [`127.0.0.1:${ports.pop3s}`], tls },
    smtp: { endpoints: [`127.0.0.1:${ports.submissions}`], tls },
    http: { endpoints: [`https://127.0.0.1:${ports.https}`], tls },
  }
}

interface Application extends AsyncDisposable {
  readonly port: number
}

/** Says where it is, who asks (by Basic), and what it was asked. */
async function startApplication(site: SiteName): Promise<Application> {
  const server = createServer((request, response) => {
    const [user] = Buffer.from(request.headers.authorization?.replace(/^Basic /, '') ?? '', 'base64')
      .toString()
      .split(':')
    request.resume().on('end', () => {
      response.setHeader('Content-Type', 'text/plain')
      response.end(`${site}: ${user} ${request.method} ${request.url} via ${request.headers['via']}`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
