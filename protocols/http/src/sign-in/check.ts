// SPDX-License-Identifier: MIT
import type { BackendIdentity } from '@portico/base'
import type { ConfigProblem } from '@portico/config'
import type { SiteFacts } from '@portico/session'
import { isAnswering } from '../autodiscover/answering.js'
import { SCHEMES, type Scheme } from '../directory/presets.js'
import { type Directory, schemesOf } from '../directory/schema.js'
import { WORDS } from './schemes.js'

/** Identities that a sign-in by a scheme leaves something for: a backend that wants a password gets it from who has shown one. */
const SHOWN: Readonly<Record<Scheme, readonly BackendIdentity['kind'][]>> = {
  basic: ['password'],
  forms: ['password'],
  bearer: ['token'],
  negotiate: [],
  ntlm: [],
}

/** These need nothing from the client. */
const UNSHOWN: readonly BackendIdentity['kind'][] = ['header', 'none']

/**
 * Schemes that a directory names itself and that cannot work: nothing under `credentials` serves them, or what they leave is of no
 * use to any backend that its requests go to. What a preset lists is offered as far as it works, but something has to.
 */
export function schemeProblems(directory: Directory, site: SiteFacts): ConfigProblem[] {
  const { auth, authFor } = directory
  return [
    ...(auth === undefined ? presetProblems(directory, site) : problemsOf(auth, ['auth'], directory, site)),
    ...authFor.flatMap((entry, index) => problemsOf(entry.auth, ['authFor', index, 'auth'], directory, site)),
  ]
}

function presetProblems(directory: Directory, site: SiteFacts): ConfigProblem[] {
  const offered = schemesOf({ ...directory, authFor: [] }, []).filter((scheme) => site.schemes.includes(WORDS[scheme]))
  const problems = offered.map((scheme) => uselessFor(scheme, reachedBy(directory, site)))
  const [first] = problems
  return first === undefined || problems.includes(undefined) ? [] : [{ path: ['auth'], expectation: first }]
}

/** How backends are told who the user is. What we answer ourselves reaches none. */
function reachedBy(directory: Directory, { identities }: SiteFacts): readonly BackendIdentity['kind'][] {
  const { group } = directory
  if (isAnswering(directory)) return []
  return [...identities].flatMap(([name, kind]) => (group === undefined || group === name ? [kind] : []))
}

function problemsOf(
  schemes: readonly Scheme[],
  path: ConfigProblem['path'],
  directory: Directory,
  site: SiteFacts,
): ConfigProblem[] {
  const { schemes: served } = site
  const reached = reachedBy(directory, site)
  return schemes.flatMap((scheme, index) => {
    const problem = served.includes(WORDS[scheme])
      ? uselessFor(scheme, reached)
      : `expected one of ${SCHEMES.filter((one) => served.includes(WORDS[one])).join(', ')}: nothing under credentials serves ${scheme}`
    return problem === undefined ? [] : [{ path: [...path, index], expectation: problem }]
  })
}

function uselessFor(scheme: Scheme, reached: readonly BackendIdentity['kind'][]): string | undefined {
  const works = [...SHOWN[scheme], ...UNSHOWN]
  if (reached.length === 0 || reached.some((kind) => works.includes(kind))) return undefined
  return `expected a scheme that leaves something for backends of identity ${reached[0]}: ${scheme} is for ${works.join(', ')}`
}
