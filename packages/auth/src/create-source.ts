// SPDX-License-Identifier: MIT
import type { Clock } from '@portico/base'
import { duration, type Settings, secret, z } from '@portico/config'
import type { Log } from '@portico/telemetry'
import { HTTP_SCHEMES, type HttpScheme } from './access.js'
import type { CredentialSource } from './credential-source.js'
import type { HashThreads } from './hash/hash-threads.js'
import { passwordSchemes } from './hash/index.js'
import { createAuthHttpSource } from './sources/auth-http.js'
import { createClientHosts } from './sources/client-hosts.js'
import { createDeferredSource } from './sources/deferred.js'
import { openUsersFile, type UsersFile } from './sources/users-file.js'
import { createUsersFileSource } from './sources/users-file-source.js'

const name = (type: string) =>
  z.string().min(1).default(type).describe('Its name in logs, and for the locator that uses the route it brings.')

const usersFile = z
  .strictObject({
    type: z.literal('users-file').describe('Accounts in a file of this host.'),
    name: name('users-file'),
    path: z
      .string()
      .min(1)
      .describe(
        'Lines of `user:{SCHEME}password:uid:gid:gecos:home:shell:extra fields`, as a Dovecot passwd-file. Read again when it changes.',
      ),
    stripDomain: z
      .boolean()
      .default(false)
      .describe('`alice` of the file also is `alice@any.domain`, unless that has a line of its own.'),
    defaultScheme: z
      .string()
      .transform((text) => text.toUpperCase())
      .refine((text) => passwordSchemes.includes(text), `expected one of ${passwordSchemes.join(', ')}`)
      .optional()
      .describe('Scheme of passwords without a `{SCHEME}` prefix. Without it such a line is an error.'),
  })
  .describe('Accounts in a file.')

const authHttp = z
  .strictObject({
    type: z.literal('auth-http').describe('A service that speaks the `auth_http` protocol of the nginx mail proxy.'),
    name: name('auth-http'),
    url: z.url({ protocol: /^https?$/, error: 'expected http://… or https://…' }).describe('Where it is asked.'),
    timeout: duration().default(5_000).describe('After this long without an answer the sign-in fails as temporary.'),
    headers: z
      .record(
        z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'expected an HTTP header name'),
        z.union([z.string(), secret()]),
      )
      .default({})
      .describe('Sent with each question, for instance a secret that the service knows this proxy by.'),
    methods: z
      .array(z.enum(['apop', 'cram-md5', 'external']))
      .default([])
      .describe(
        'What the service judges besides passwords that were shown: responses to the challenges of APOP and CRAM-MD5, and client certificates, where it also says whom the certificate may act for. The mechanisms are offered only if `auth.mechanisms` names them.',
      ),
    clientHost: z
      .boolean()
      .default(false)
      .describe('The name that DNS gives for the client, and that leads back to it, goes along as `Client-Host`.'),
    passClientCertificate: z
      .boolean()
      .default(false)
      .describe('The client certificate goes along with each question, in PEM, as `Auth-SSL-Cert`.'),
  })
  .describe('An HTTP service that verifies and routes in one answer.')

const deferred = z
  .strictObject({
    type: z.literal('deferred').describe('The backend decides.'),
    name: name('deferred'),
  })
  .describe('The backend that gets the password decides; routing has to find it without a verified user.')

/** The `credentials` block: sources, asked in order until one knows the user. */
export const credentialsSchema = z
  .array(z.discriminatedUnion('type', [usersFile, authHttp, deferred]))
  .min(1)
  .describe('Where accounts are verified, asked in this order. One that cannot be reached ends the sign-in.')

/** One entry of the `credentials` block. */
export type CredentialSettings = Settings<typeof credentialsSchema>[number]

const PASSWORDS: readonly HttpScheme[] = ['BASIC', 'FORMS']

/** What a source of each type serves of HTTP's schemes. */
const SERVES: Readonly<Record<CredentialSettings['type'], readonly HttpScheme[]>> = {
  'users-file': PASSWORDS,
  'auth-http': PASSWORDS,
  deferred: PASSWORDS,
}

/** The schemes of HTTP that some of these sources serves. */
export function servedSchemes(credentials: readonly CredentialSettings[]): readonly HttpScheme[] {
  return HTTP_SCHEMES.filter((scheme) => credentials.some(({ type }) => SERVES[type].includes(scheme)))
}

/** The users files that are open, one for each path and reading, so that source and locator see the same accounts. */
export interface UsersFiles {
  /** Throws when the file cannot be read. */
  open(settings: Pick<CredentialSettings & { type: 'users-file' }, 'path' | 'stripDomain' | 'defaultScheme'>): UsersFile
}

export interface SourceDeps {
  readonly clock: Clock
  readonly log: Log
  readonly usersFiles: UsersFiles
  readonly hashThreads: HashThreads
}

export function createUsersFiles(deps: Pick<SourceDeps, 'clock' | 'log'>): UsersFiles {
  const files = new Map<string, UsersFile>()
  return {
    open({ path, stripDomain, defaultScheme }) {
      const key = JSON.stringify([path, stripDomain, defaultScheme])
      const scheme = defaultScheme === undefined ? {} : { defaultScheme }
      const file = files.get(key) ?? openUsersFile({ path, stripDomain, ...scheme, ...deps })
      files.set(key, file)
      return file
    },
  }
}

/** Makes one source from its settings. Throws when its file cannot be read. */
export function createSource(settings: CredentialSettings, deps: SourceDeps): CredentialSource {
  switch (settings.type) {
    case 'users-file':
      return createUsersFileSource(deps.usersFiles.open(settings), {
        name: settings.name,
        hashThreads: deps.hashThreads,
      })
    case 'auth-http': {
      const { timeout, clientHost, type: _, ...settled } = settings
      const { clock, log } = deps
      const hosts = clientHost ? { clientHosts: createClientHosts(clock) } : {}
      return createAuthHttpSource({ ...settled, ...hosts, timeoutMs: timeout, clock, log })
    }
    case 'deferred':
      return createDeferredSource({ name: settings.name })
  }
}
