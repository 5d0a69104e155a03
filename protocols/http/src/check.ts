// SPDX-License-Identifier: MIT
import type { ConfigProblem } from '@portico/config'
import type { SiteFacts } from '@portico/session'
import { isAnswering } from './autodiscover/answering.js'
import { type Directory, schemesOf } from './directory/schema.js'
import { isDoor } from './door/door.js'
import { channelProblems } from './outlook/check.js'
import type { HttpListenerOptions, HttpSettings } from './schema.js'
import { schemeProblems } from './sign-in/check.js'

/** What no single key of the block, of a directory or of a listener shows to be wrong. */
export function httpProblems(settings: HttpSettings, site: SiteFacts): ConfigProblem[] {
  return [
    ...settings.directories.flatMap((directory, index) =>
      within(['http', 'directories', index], directoryProblems(directory, site)),
    ),
    ...site.listeners.flatMap((listener) =>
      within(['listeners', listener.index], listenerProblems(listener, settings)),
    ),
    ...webrootProblems(settings, site),
  ]
}

/** What works, but not as far as a site may expect. */
export function httpWarnings(settings: HttpSettings, site: SiteFacts): string[] {
  return [...keyWarnings(settings, site), ...tellingWarnings(settings, site), ...accountWarnings(settings, site)]
}

/** Several nodes need the same keys. */
function keyWarnings({ directories, forms }: HttpSettings, { listeners, nodesShareState }: SiteFacts): string[] {
  if (nodesShareState || forms.keys.length > 0 || listeners.length === 0) return []
  const named = directories.filter(hasForms)
  if (named.length === 0) return []
  const mounts = named.map(({ mount }) => mount).join(', ')
  return [
    `http.forms.keys: none are set, so that cookies of the sign-in page of ${mounts} are good on this node alone, until it is started anew; several nodes need the same keys, and a sign-out reaches the processes of one node`,
  ]
}

/** Behind a balancer that ends TLS, only the site knows what clients see. */
function tellingWarnings({ directories }: HttpSettings, { listeners, isToldOf }: SiteFacts): string[] {
  if (isToldOf || listeners.length === 0 || !directories.some(isAnswering)) return []
  return [
    'publish.http: neither it nor a listener with TLS says where clients reach HTTP, so that Autodiscover tells them of no directory',
  ]
}

/** Autodiscover asks no backend: whom one of them would judge gets an answer, and whom a source knows a refusal. */
function accountWarnings({ directories }: HttpSettings, { listeners, partlyDeferred }: SiteFacts): string[] {
  if (!partlyDeferred || listeners.length === 0 || !directories.some(isAnswering)) return []
  return [
    'credentials: with deferred beside other sources Autodiscover refuses a wrong password of a user whom one of those knows and answers anybody else, so that strangers can find out whom they know; a group for its directory has a backend judge instead',
  ]
}

function hasForms(directory: Directory): boolean {
  return schemesOf(directory, []).includes('forms') || directory.authFor.some(({ auth }) => auth.includes('forms'))
}

function within(place: ConfigProblem['path'], problems: readonly ConfigProblem[]): ConfigProblem[] {
  return problems.map(({ path, expectation }) => ({ path: [...place, ...path], expectation }))
}

function directoryProblems(directory: Directory, site: SiteFacts): ConfigProblem[] {
  const { backendGroups, networks } = site
  const problems: ConfigProblem[] = []
  const { group, authFor, preAuth } = directory
  if (group !== undefined && !backendGroups.includes(group)) {
    problems.push({ path: ['group'], expectation: `expected one of the groups ${backendGroups.join(', ')}` })
  }
  if (group === undefined && preAuth.length > 0) {
    problems.push({ path: ['preAuth'], expectation: 'expected a group: nobody is known whose location could be asked' })
  }
  problems.push(...channelProblems(directory), ...schemeProblems(directory, site))
  authFor.forEach((entry, index) => {
    entry.networks.forEach((name, at) => {
      if (networks.includes(name)) return
      const path = ['authFor', index, 'networks', at]
      problems.push({ path, expectation: 'expected the name of one of the networks' })
    })
  })
  return problems
}

function listenerProblems({ tls, options }: SiteFacts['listeners'][number], settings: HttpSettings): ConfigProblem[] {
  if (tls === 'starttls') return [{ path: ['tls'], expectation: 'expected none or implicit: HTTP has no STARTTLS' }]
  if ((options as HttpListenerOptions).door !== true) return []
  if (tls !== 'none')
    return [{ path: ['door'], expectation: 'expected tls: none, which is what a door leads away from' }]
  if (settings.httpsUrl !== undefined) return []
  return [{ path: ['door'], expectation: 'expected http.httpsUrl, where a door leads' }]
}

/** Challenges that nobody is shown would be noticed when a certificate has run out. */
function webrootProblems(settings: HttpSettings, { listeners }: SiteFacts): ConfigProblem[] {
  if (settings.acmeWebroot === undefined || listeners.length === 0) return []
  if (listeners.some((listener) => isDoor(listener, settings))) return []
  const expectation = 'expected a listener that is a door: tls: none, and http.httpsUrl'
  return [{ path: ['http', 'acmeWebroot'], expectation }]
}
