// SPDX-License-Identifier: MIT
import { type Schema, z } from '@portico/config'

/** A host name with or without a port, as clients are told it. */
export const publicHost = () =>
  z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?$/, 'expected a host name, or host:port')

/** Where a site is for the clients of everywhere, and which of them other sites send there. */
export interface SiteSettings {
  /** `https://host[:port]`, as {@link URL.origin} writes it. */
  readonly http: string | undefined
  /** `host[:port]`. */
  readonly imap4: string | undefined
  readonly redirect: {
    readonly webMail: 'manual' | 'silent' | 'never'
    readonly activesync: boolean
    readonly autodiscover: boolean
    readonly imap4: boolean
  }
}

/** All sites by name. */
export type SitesSettings = Readonly<Record<string, SiteSettings>>

/** A site as seen from here. */
export interface SiteView extends SiteSettings {
  /** Undefined where no sites are named: then there is one, and all groups are in it. */
  readonly name: string | undefined
  readonly isOwn: boolean
}

/** What is told of a site of which nothing is said. */
const NOTHING: SiteSettings = {
  http: undefined,
  imap4: undefined,
  redirect: { webMail: 'manual', activesync: true, autodiscover: true, imap4: false },
}

/** The site of a group; what names no site is here. */
export function siteView(sites: SitesSettings, own: string | undefined, name: string | undefined = own): SiteView {
  const settings = name !== undefined && Object.hasOwn(sites, name) ? sites[name] : undefined
  return { ...NOTHING, ...settings, name, isOwn: name === own }
}

const originOf = (text: string): string | undefined => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const plain = url?.username === '' && url.password === '' && url.search === '' && url.hash === ''
  return url?.protocol === 'https:' && plain && url.pathname === '/' ? url.origin : undefined
}

const externalUrl = () =>
  z.string().transform((text, context): string => {
    const origin = originOf(text)
    if (origin !== undefined) return origin
    context.addIssue({ code: 'custom', message: 'expected https://host[:port]' })
    return z.NEVER
  })

const redirectSchema = z
  .strictObject({
    webMail: z
      .enum(['manual', 'silent', 'never'])
      .default('manual')
      .describe(
        'People with a browser in a directory of preset `owa`, `ecp` or `public`: `manual` shows a page with a link, `silent` sends them on (302) if their connection is encrypted, `never` carries them through here. Path and query are kept.',
      ),
    activesync: z
      .boolean()
      .default(true)
      .describe('Devices get 451 with X-MS-Location, and use the other site from then on.'),
    autodiscover: z.boolean().default(true).describe('Autodiscover sends its clients to the other site.'),
    imap4: z
      .boolean()
      .default(false)
      .describe('IMAP4 clients are referred to the site’s `imap4` (RFC 2221). Many take that for a refusal.'),
  })
  .prefault({})
  .describe('Which clients are sent to the site, as far as it has a name for them. All others are carried through.')

const siteSchema = z
  .strictObject({
    http: externalUrl().optional().describe('External URL, `https://host[:port]`; the same directories are below it.'),
    imap4: publicHost().optional().describe('External name for IMAP4: `host`, or `host:port`.'),
    redirect: redirectSchema,
  })
  .transform(({ http, imap4, redirect }): SiteSettings => ({ http, imap4, redirect }))

const siteName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected a name of letters, digits, dots and dashes')

/** The `sites` block. */
export const sitesSchema: Schema<SitesSettings> = z
  .record(siteName, siteSchema)
  .default({})
  .describe(
    'Sites: places with a directory and mail servers of their own, this one among them. What stands here are the names that clients know; see [sites.md](sites.md).',
  )

/** The `site` key. */
export const ownSiteSchema = siteName
  .optional()
  .describe('The site that this front end is at; one of `sites`, needed where there are any.')
