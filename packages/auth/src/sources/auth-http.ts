// SPDX-License-Identifier: MIT
import {
  type Cancellation,
  type Clock,
  type EmailAddress,
  type Endpoint,
  isLoopback,
  type Principal,
  Secret,
} from '@portico/base'
import { createHttpClient, type HttpReply } from '@portico/net'
import type { SecretKind } from '@portico/sasl'
import type { Log } from '@portico/telemetry'
import type { Concluded, CredentialRequest, CredentialSource, Unavailable } from '../credential-source.js'
import {
  type AuthHttpMethod,
  type AuthHttpRoute,
  questionHeaders,
  readVerdict,
  recipientHeaders,
} from './auth-http-headers.js'
import type { ClientHosts } from './client-hosts.js'

const NO_FIELDS: ReadonlyMap<string, string> = new Map()
/** What nginx calls the mechanisms that answer a challenge. */
const METHOD: Readonly<Partial<Record<SecretKind, AuthHttpMethod>>> = { 'CRAM-MD5': 'cram-md5', APOP: 'apop' }

type Asked = Pick<CredentialRequest, 'client' | 'attempt'>
type Served = CredentialSource['serves'] extends ReadonlySet<infer T> ? T : never

/** Where a recipient's mail goes, as the lookup service has it. */
export type AddressAnswer =
  | { readonly kind: 'found'; readonly route: AuthHttpRoute }
  | { readonly kind: 'none' }
  | { readonly kind: 'unavailable'; readonly cause?: unknown }

/** A credential source that also brings the route, and knows recipients. */
export interface AuthHttpSource extends CredentialSource {
  lookupAddress(address: EmailAddress, signal: Cancellation): Promise<AddressAnswer>
}

/** Whether a source is one that can look recipients up. */
export function isAuthHttpSource(source: CredentialSource): source is AuthHttpSource {
  return 'lookupAddress' in source
}

export interface AuthHttpOptions {
  /** `http:` or `https:`. */
  readonly url: string
  readonly name?: string
  readonly timeoutMs: number
  /** Added to each question: a secret that the service shares with this proxy, for instance. */
  readonly headers?: Readonly<Record<string, string | Secret<string>>>
  /** What the service judges besides passwords that were shown; nothing when absent. */
  readonly methods?: readonly AuthHttpMethod[]
  /** Finds host names of clients, which go along with each question. */
  readonly clientHosts?: ClientHosts
  /** The client's certificate goes along with each question. */
  readonly passClientCertificate?: boolean
  readonly clock: Clock
  readonly log: Log
}

/**
 * Asks an HTTP service as nginx's mail proxy does (its `auth_http` protocol): one GET a sign-in, the question and the answer in
 * headers. An accepted principal carries the route for the locator of the same name. Anything but a 200 with readable headers is
 * `unavailable`.
 */
export function createAuthHttpSource(options: AuthHttpOptions): AuthHttpSource {
  const {
    name = 'auth-http',
    methods = [],
    passClientCertificate = false,
    clientHosts,
    clock,
    timeoutMs,
    log,
  } = options
  const url = new URL(options.url)
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    log.warn('passwords go to the lookup service without encryption', { source: name, host: url.hostname })
  }
  const configured = Object.entries(options.headers ?? {})
  const host = configured.find(([key]) => key.toLowerCase() === 'host')
  const client = createHttpClient({ url, timeoutMs, clock, ...(host === undefined ? {} : { host: textOf(host[1]) }) })
  const extra = configured.filter((field) => field !== host)
  const ask = (question: Record<string, string>, signal: Cancellation): Promise<HttpReply> =>
    client.ask(withConfigured(question, extra), signal)
  const hostOf = async (client: Endpoint | undefined): Promise<string | undefined> =>
    clientHosts === undefined || client === undefined ? undefined : clientHosts.nameOf(client)
  const judged = async (shown: Parameters<typeof questionHeaders>[0], request: Asked, signal: Cancellation) => {
    const host = await hostOf(request.client.peer)
    return readReply(
      await ask(questionHeaders(shown, request, { withCertificate: passClientCertificate, host }), signal),
    )
  }
  const serves = new Set<Served>(['verify-plain'])
  if (methods.includes('external')) serves.add('certificate')
  if (methods.some((method) => method !== 'external')) serves.add('verify-response')
  return {
    name,
    serves,
    bringsPasswords: true,
    async verify(request, signal) {
      const { authcid, password } = request
      const verdict = await judged({ method: 'plain', user: authcid, pass: password.expose() }, request, signal)
      return answerOf(name, { ...request, strength: 'plain', proof: { password } }, verdict)
    },
    holds: (kind) => ({ can: judges(methods, kind) ? 1 : 0, of: 1 }),
    async lookup(request) {
      const method = METHOD[request.secret]
      if (method === undefined || !methods.includes(method)) return { kind: 'not-here' }
      return {
        kind: 'judge',
        async judge(salt, pass, signal) {
          const verdict = await judged({ method, user: request.authcid, pass, salt }, request, signal)
          return answerOf(name, { ...request, strength: 'proof', proof: {} }, verdict)
        },
      }
    },
    async ownerOf(request, signal) {
      if (!methods.includes('external') || request.client.certificate?.raw === undefined) return { kind: 'not-here' }
      const user = request.authzid ?? request.names.name ?? ''
      const verdict = await judged({ method: 'external', user, pass: '' }, request, signal)
      // Who the certificate belongs to may be the service's to say.
      const authcid = user === '' && verdict.kind === 'ok' ? (verdict.route.user ?? '') : user
      if (authcid === '' && verdict.kind === 'ok') return { kind: 'rejected', reason: 'invalid-credentials' }
      return answerOf(name, { ...request, authcid, strength: 'certificate', proof: {} }, verdict)
    },
    async account({ earlier, ...request }, signal) {
      if (earlier.source !== name) return { kind: 'not-here' }
      const { authcid, strength, password } = earlier
      const claimed = { authcid, mechanism: request.mechanism, strength, proof: {} }
      if (password === undefined) return { kind: 'accepted', principal: principalOf(name, claimed) }
      const shown = { method: 'plain', user: authcid, pass: password.expose() } as const
      return answerOf(name, claimed, await judged(shown, request, signal))
    },
    async lookupAddress(address, signal) {
      const reply = await ask(recipientHeaders(address, await hostOf(address.asker?.client)), signal)
      const verdict = readReply(reply)
      if (verdict.kind === 'ok') return { kind: 'found', route: verdict.route }
      return verdict.kind === 'refused' ? { kind: 'none' } : { kind: 'unavailable', cause: causeOf(verdict) }
    },
    async [Symbol.asyncDispose]() {
      client.close()
    },
  }
}

function judges(methods: readonly AuthHttpMethod[], kind: SecretKind): boolean {
  const method = METHOD[kind]
  return method !== undefined && methods.includes(method)
}

type Configured = readonly (readonly [string, string | Secret<string>])[]

/** What the site configured replaces what the question says, in whatever case. */
function withConfigured(question: Record<string, string>, configured: Configured): Record<string, string> {
  if (configured.length === 0) return question
  const fields = { ...question }
  for (const [key, value] of configured) {
    for (const name of Object.keys(fields)) if (name.toLowerCase() === key.toLowerCase()) delete fields[name]
    fields[key] = textOf(value)
  }
  return fields
}

function textOf(value: string | Secret<string>): string {
  return value instanceof Secret ? value.expose() : value
}

type Verdict = ReturnType<typeof readVerdict> | { readonly kind: 'failed'; readonly cause: Error }

function readReply(reply: HttpReply): Verdict {
  if (reply.kind === 'failed') return reply
  if (reply.status !== 200) return { kind: 'garbage', what: `status ${reply.status}` }
  return readVerdict(reply.headers)
}

/** Who is accepted if the service says so, and by what. */
type Claimed = Pick<Principal, 'authcid' | 'mechanism' | 'strength' | 'proof'>

function answerOf(source: string, claimed: Claimed, verdict: Verdict): Concluded | Unavailable {
  if (verdict.kind === 'refused') return { kind: 'rejected', reason: 'invalid-credentials', waitMs: verdict.waitMs }
  if (verdict.kind !== 'ok') return { kind: 'unavailable', cause: causeOf(verdict) }
  return { kind: 'accepted', principal: { ...principalOf(source, claimed), route: { source, value: verdict.route } } }
}

function principalOf(source: string, { authcid, mechanism, strength, proof }: Claimed): Principal {
  return { authcid, user: authcid.toLowerCase(), mechanism, strength, proof, source, epoch: '', fields: NO_FIELDS }
}

function causeOf(verdict: Exclude<Verdict, { kind: 'ok' | 'refused' }>): Error {
  if (verdict.kind === 'failed') return verdict.cause
  if (verdict.kind === 'later') return new Error('the lookup service asks to come again later')
  return new Error(`the lookup service answered with ${verdict.what}`)
}
