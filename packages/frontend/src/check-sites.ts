// SPDX-License-Identifier: MIT
import type { ConfigProblem } from '@portico/config'
import { type FrontEndSettings, PROXIES } from './schema.js'

type Settings = Pick<FrontEndSettings, 'credentials' | 'backends' | 'site' | 'sites'>

/** Names that mean no site, and redirections that could not work. */
export function siteProblems(settings: Settings): ConfigProblem[] {
  return [...unknownSites(settings), ...deferredRedirects(settings), ...sitesHere(settings), ...groupsHere(settings)]
}

/** What works as long as no directory is wrong. */
export function siteWarnings({
  backends,
  networks,
  site,
}: Pick<FrontEndSettings, 'backends' | 'networks' | 'site'>): string[] {
  if ((networks[PROXIES]?.length ?? 0) > 0) return []
  return Object.entries(backends).flatMap(([group, { site: other, protocols }]) => {
    if (other === undefined || other === site || protocols.size === 0) return []
    return [
      `backends.${group}: mail sessions are carried to the site ${other}, and networks.${PROXIES} is empty: if its front ends carry any to here, list them there, or two directories that each name the other site make a loop that only limits end`,
    ]
  })
}

function unknownSites({ backends, site, sites }: Settings): ConfigProblem[] {
  const names = Object.keys(sites)
  const known = (name: string) => Object.hasOwn(sites, name)
  const expectation =
    names.length === 0 ? 'expected sites to be listed' : `expected one of the sites ${names.join(', ')}`
  const own = site === undefined ? names.length > 0 : !known(site)
  const groups = Object.entries(backends).filter(([, group]) => group.site !== undefined && !known(group.site))
  return [
    ...(own ? [{ path: ['site'], expectation }] : []),
    ...groups.map(([group]) => ({ path: ['backends', group, 'site'], expectation })),
  ]
}

/** Nobody is sent elsewhere who has not proved who they are (RFC 2221 section 6), and the backend that could say so is not asked. */
function deferredRedirects({ credentials, backends }: Settings): ConfigProblem[] {
  const deferred = credentials.findIndex(({ type }) => type === 'deferred')
  if (deferred < 0) return []
  return Object.entries(backends).flatMap(([group, { redirect }]) => {
    if (redirect.size === 0) return []
    const expectation = `expected none: credentials[${deferred}] is deferred, which proves nothing before a backend is asked`
    return [{ path: ['backends', group, 'redirect'], expectation }]
  })
}

/** Protocols whose clients are sent to a name. */
const NAMED = ['http', 'imap4'] as const

/** Who is sent to another site must not come back here: it would be sent there again. */
function sitesHere({ site, sites }: Settings): ConfigProblem[] {
  const own = ownNames({ site, sites })
  return Object.entries(sites).flatMap(([name, names]) =>
    NAMED.filter((protocol) => name !== site && isNamedAs(names[protocol], own[protocol])).map((protocol) => ({
      path: ['sites', name, protocol],
      expectation: OTHER_NAME,
    })),
  )
}

function groupsHere({ backends, site, sites }: Settings): ConfigProblem[] {
  const own = ownNames({ site, sites })
  return Object.entries(backends).flatMap(([group, { redirect }]) =>
    NAMED.filter((protocol) => isNamedAs(redirect.get(protocol), own[protocol])).map((protocol) => ({
      path: ['backends', group, 'redirect', protocol],
      expectation: OTHER_NAME,
    })),
  )
}

const OTHER_NAME = 'expected another name than that of this site: who is sent there would come back here'

function ownNames({ site, sites }: Pick<Settings, 'site' | 'sites'>): {
  readonly [P in (typeof NAMED)[number]]?: string | undefined
} {
  return (site === undefined ? undefined : sites[site]) ?? {}
}

/** Whether two names lead to the same place. */
function isNamedAs(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && placeOf(one) === placeOf(other)
}

/** A URL without its path; a host name with the port that clients take where it has none. */
function placeOf(name: string): string {
  if (URL.canParse(name) && name.includes('://')) return new URL(name).origin
  return /:\d+$/.test(name) ? name.toLowerCase() : `${name.toLowerCase()}:143`
}
