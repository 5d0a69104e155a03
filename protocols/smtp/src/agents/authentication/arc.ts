// SPDX-License-Identifier: MIT
import type { MethodResult } from '../../message/trace.js'
import { type ArcSet, type ReadChain, sealedTexts } from './arc-chain.js'
import { type ForeignResult, readResults } from './results-field.js'
import { findKey } from './signing-key.js'
import {
  type SignatureVerdict,
  type VerifyContext,
  verdictWithoutKey,
  verifies,
  verifySignature,
} from './verify-signature.js'

/** One server's seal in a chain that holds. */
export interface Seal {
  readonly instance: number
  readonly sealer: string
  /** What it had found when the message came to it. */
  readonly results: readonly ForeignResult[]
}

/** RFC 8617 section 4.4, and `temperror` where a key could not be asked for. Seals only where it passes, the last one first. */
export interface ArcVerdict {
  readonly result: 'none' | 'pass' | 'fail' | 'temperror'
  readonly why?: string
  readonly seals: readonly Seal[]
}

/** RFC 8617 section 5.2. Never rejects. */
export async function verifyArc(chain: ReadChain, context: VerifyContext): Promise<ArcVerdict> {
  if (chain.kind === 'none') return { result: 'none', seals: [] }
  if (chain.kind === 'fault') return { result: 'fail', why: chain.why, seals: [] }
  const { sets, last } = chain
  const texts = sealedTexts(sets)
  const verdicts = await Promise.all([
    verifySignature(last.signature, last.signatureField, context),
    ...sets.map((set, index) => verifySeal(set, texts[index] ?? '', context)),
  ])
  const bad = verdicts.find(({ result }) => result !== 'pass' && result !== 'temperror')
  if (bad !== undefined) return { result: 'fail', why: bad.why ?? 'seal does not verify', seals: [] }
  const away = verdicts.find(({ result }) => result === 'temperror')
  if (away !== undefined) return { result: 'temperror', why: away.why ?? '', seals: [] }
  return { result: 'pass', seals: sets.map(sealOf).reverse() }
}

async function verifySeal(set: ArcSet, text: string, { resolver, signal }: VerifyContext): Promise<SignatureVerdict> {
  const { sealer, selector, algorithm, value, instance } = set
  const found = await findKey(sealer, selector, resolver, signal)
  if (found.kind !== 'key') {
    const verdict = verdictWithoutKey(found)
    return { ...verdict, why: `seal ${instance}: ${verdict.why}` }
  }
  return verifies(algorithm, found, text, value)
    ? { result: 'pass' }
    : { result: 'fail', why: `seal ${instance} does not verify` }
}

function sealOf({ instance, sealer, resultsField }: ArcSet): Seal {
  return { instance, sealer, results: readResults(resultsField.text()) }
}

/** For Authentication-Results (RFC 8617 section 10.1). */
export function arcResult({ result, why, seals }: ArcVerdict, client: string | undefined): MethodResult {
  const last = seals[0]
  const comment = why ?? (last === undefined ? undefined : `i=${last.instance} sealed by ${last.sealer}`)
  return {
    method: 'arc',
    result,
    ...(comment === undefined ? {} : { comment }),
    properties: client === undefined || result === 'none' ? [] : [['smtp.remote-ip', client]],
  }
}
