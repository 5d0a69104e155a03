// SPDX-License-Identifier: MIT
import { type Dovecot, SOGO_PROGRAMS, type Sogo, startDovecot, startPostfix, startSogo } from '@portico/testkit'
import { type Portico, startPortico } from './portico.js'
import { USERS } from './two-dovecots.js'

/** A SOGo with its mail servers, and Portico in front of it. */
export interface SogoStage extends AsyncDisposable {
  readonly dovecot: Dovecot
  readonly sogo: Sogo
  readonly portico: Portico<'http' | 'https'>
}

/** What a scenario on this stage has to find on the machine. */
export const SOGO_STAGE_PROGRAMS = ['dovecot', 'postfix', 'openssl', ...SOGO_PROGRAMS] as const

/** SOGo's pages, which have their own path inside. */
export const WEB_MAIL = {
  ...{ preset: 'owa', mount: '/SOGo', originField: 'x-webobjects-server-url' },
  signOut: ['/so/*/logoff'],
} as const
/** Scripts and pictures, which SOGo does not serve itself. */
export const WEB_MAIL_FILES = {
  ...{ preset: 'public', mount: '/SOGo.woa', backendPath: '/SOGo.woa', group: 'files' },
} as const
/** Calendars and contacts, for programs: below the pages, and without their way to sign in. */
export const DAV = {
  ...{ preset: 'caldav', mount: '/SOGo/dav', backendPath: '/SOGo/dav', auth: ['basic'] },
  wellKnown: ['caldav', 'carddav'],
} as const
/** Where phones ask. */
export const ACTIVE_SYNC = { preset: 'activesync', backendPath: '/SOGo/Microsoft-Server-ActiveSync' } as const

/**
 * SOGo trusts Portico. alice's password goes on to it, and from there to the mail server; bob is told by a header, so that SOGo
 * can show him what it keeps itself but not his mail.
 */
export async function startSogoStage(
  more: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>> = {},
): Promise<SogoStage> {
  const users = { alice: 'alicepw', bob: 'bobpw' }
  const dovecot = await startDovecot({ name: 'mbx', users })
  const postfix = await startPostfix({ lmtpPort: dovecot.ports.lmtp })
  const sogo = await startSogo({ users, imapPort: dovecot.ports.imap, smtpPort: postfix.port, trustsFrontEnd: true })
  const endpoints = [`http://127.0.0.1:${sogo.port}`]
  const portico = await startPortico({
    listeners: { http: { protocol: 'http', tls: 'none' }, https: { protocol: 'http', tls: 'implicit' } },
    users: USERS,
    backends: {
      mbx1: { identity: 'password', http: { endpoints } },
      mbx2: { identity: { header: { name: 'x-webobjects-remote-user' } }, http: { endpoints } },
      files: { identity: 'none', http: { endpoints: [`http://127.0.0.1:${sogo.filesPort}`] } },
    },
    more,
    env,
  })
  return {
    dovecot,
    sogo,
    portico,
    async [Symbol.asyncDispose]() {
      await portico.stop()
      await sogo.stop()
      await Promise.all([postfix.stop(), dovecot.stop()])
    },
  }
}
