// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type {
  AccountRequest,
  CertificateRequest,
  CredentialAnswer,
  CredentialRequest,
  CredentialSource,
  LookupRequest,
  SecretReply,
  TokenRequest,
} from './credential-source.js'

/** A source's last word, with its name. `source` is absent when no source knew the user. */
export type ChainAnswer = Exclude<CredentialAnswer, { kind: 'not-here' }> & { readonly source?: string }

/**
 * Asks the sources in their order until one knows the user. One that is away, or that throws, ends the chain: another source
 * never answers for it. When none knows the user, the work of a wrong password is done before the same refusal is given.
 */
export async function askSources(
  sources: readonly CredentialSource[],
  request: CredentialRequest,
  signal: Cancellation,
): Promise<ChainAnswer> {
  const answer = await firstAnswer(sources, request, signal, verify)
  if (answer !== undefined) return answer
  // One decoy is enough: a known user's wrong password costs one source's work too.
  const worker = sources.find((source) => source.unknownUserWork !== undefined)
  const undone = await worker?.unknownUserWork?.(request, signal)
  if (worker !== undefined && undone !== undefined) return { ...undone, source: worker.name }
  return { kind: 'rejected', reason: 'invalid-credentials' }
}

/** Undefined: no source knows. */
async function firstAnswer<R>(
  sources: readonly CredentialSource[],
  request: R,
  signal: Cancellation,
  ask: Question<R>,
): Promise<ChainAnswer | undefined> {
  for (const source of sources) {
    let answer: CredentialAnswer | undefined
    try {
      answer = await ask(source, request, signal)
    } catch (cause) {
      answer = { kind: 'unavailable', cause }
    }
    if (signal.aborted) return { kind: 'unavailable', source: source.name, cause: signal.reason }
    if (answer !== undefined && answer.kind !== 'not-here') return { ...answer, source: source.name }
  }
  return undefined
}

/** Undefined: the source does not answer such questions. */
type Question<R> = (source: CredentialSource, request: R, signal: Cancellation) => Promise<CredentialAnswer> | undefined

const verify: Question<CredentialRequest> = (source, request, signal) =>
  source.serves.has('verify-plain') ? source.verify(request, signal) : undefined

const owner: Question<CertificateRequest> = (source, request, signal) => source.ownerOf?.(request, signal)

const tokenOwner: Question<TokenRequest> = (source, request, signal) => source.verifyToken?.(request, signal)

/** What a proof is checked against, and whose it is; a stand-in when no source knows the name. */
export type SecretAnswer = Exclude<SecretReply, { kind: 'not-here' }> & { readonly source?: string }

/** The same for a proof that is yet to come. No proof is right for a name that no source knows. */
export async function askForSecret(
  sources: readonly CredentialSource[],
  request: LookupRequest,
  signal: Cancellation,
): Promise<SecretAnswer> {
  let standIn: SecretAnswer | undefined
  for (const source of sources) {
    const reply = await askSecret(source, request, signal)
    if (signal.aborted) return { kind: 'unavailable', source: source.name, cause: signal.reason }
    if (reply.kind !== 'not-here') return { ...reply, source: source.name }
    if (reply.decoy === undefined) continue
    standIn ??= { kind: 'found', secret: reply.decoy, ifProved: { kind: 'rejected', reason: 'invalid-credentials' } }
  }
  return standIn ?? { kind: 'unavailable', cause: new Error(`no account can prove by ${request.mechanism}`) }
}

async function askSecret(source: CredentialSource, request: LookupRequest, signal: Cancellation): Promise<SecretReply> {
  try {
    return (await source.lookup?.(request, signal)) ?? { kind: 'not-here' }
  } catch (cause) {
    return { kind: 'unavailable', cause }
  }
}

/** What no source knows anything of. */
const NOBODYS: ChainAnswer = { kind: 'rejected', reason: 'invalid-credentials' }

/** The account of a client certificate. */
export async function askForOwner(
  sources: readonly CredentialSource[],
  request: CertificateRequest,
  signal: Cancellation,
): Promise<ChainAnswer> {
  return (await firstAnswer(sources, request, signal, owner)) ?? NOBODYS
}

/** Whose a bearer token is. */
export async function askForTokenOwner(
  sources: readonly CredentialSource[],
  request: TokenRequest,
  signal: Cancellation,
): Promise<ChainAnswer> {
  return (await firstAnswer(sources, request, signal, tokenOwner)) ?? NOBODYS
}

/**
 * What an account that was proved before is now. The sources are asked in their order, for one that stands before the account's own
 * may bar it; the last word is that of the source that accepted it.
 */
export async function askForAccount(
  sources: readonly CredentialSource[],
  request: AccountRequest,
  signal: Cancellation,
): Promise<ChainAnswer> {
  const own = sources.findIndex(({ name }) => name === request.earlier.source)
  return (await firstAnswer(sources.slice(0, own + 1), request, signal, account)) ?? NOBODYS
}

const account: Question<AccountRequest> = (source, request, signal) => {
  if (source.account !== undefined) return source.account(request, signal)
  return source.name === request.earlier.source ? Promise.resolve(unchanged(request.earlier)) : undefined
}

/** A source that cannot tell leaves it at what it said. */
function unchanged({ password, delegate, user, ...then }: AccountRequest['earlier']): CredentialAnswer {
  const principal = { ...then, user: delegate ?? user, proof: {}, fields: new Map<string, string>() }
  return { kind: 'accepted', principal }
}
