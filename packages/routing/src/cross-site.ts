// SPDX-License-Identifier: MIT
import type { ProtocolName } from '@portico/base'
import type { Redirection, RouteClient } from './router.js'
import type { SiteView } from './sites.js'

/** What is to be known of somebody whose mailbox may be somewhere else. */
export interface CrossSiteQuestion {
  readonly protocol: ProtocolName
  /** Absent for who has not proved who they are. */
  readonly client?: RouteClient | undefined
  /** Where the mailbox is. */
  readonly site: SiteView
  /** The name that the group itself sends its users of the protocol to, whatever its site says. */
  readonly override: string | undefined
}

/**
 * Proxy or redirect: the redirection, or undefined for a session that is carried through here. Only clients that follow one are
 * sent away, only where the site has a name for them, and only after they have proved who they are (RFC 2221 section 6). Of HTTP
 * those are people with a browser, devices of ActiveSync, and Autodiscover; of the others clients of IMAP4, by choice.
 */
export function crossSite({ protocol, client, site, override }: CrossSiteQuestion): Redirection | undefined {
  if (override !== undefined) return overridden(protocol, client, override)
  if (site.isOwn || client === undefined) return undefined
  if (protocol === 'imap4') return referral(site)
  return protocol === 'http' ? ofHttp(client, site) : undefined
}

function overridden(protocol: ProtocolName, client: RouteClient | undefined, to: string): Redirection {
  if (protocol !== 'http') return { kind: 'redirect', how: 'referral', to }
  if (client?.kind === 'activesync') return { kind: 'redirect', how: 'device', to }
  return { kind: 'redirect', how: client?.kind === 'autodiscover' ? 'autodiscover' : 'same-request', to }
}

function referral({ imap4: to, redirect }: SiteView): Redirection | undefined {
  return to !== undefined && redirect.imap4 ? { kind: 'redirect', how: 'referral', to } : undefined
}

function ofHttp({ kind, encrypted }: RouteClient, { http: to, redirect }: SiteView): Redirection | undefined {
  if (to === undefined || kind === undefined) return undefined
  switch (kind) {
    case 'web-mail':
      if (redirect.webMail === 'never') return undefined
      // Whoever came unencrypted may be shown a link by anybody on the way: a person is to see where it leads.
      return { kind: 'redirect', how: redirect.webMail === 'silent' && encrypted ? 'silent' : 'manual', to }
    case 'activesync':
      return redirect.activesync ? { kind: 'redirect', how: 'device', to } : undefined
    case 'autodiscover':
      return redirect.autodiscover ? { kind: 'redirect', how: 'autodiscover', to } : undefined
  }
}
