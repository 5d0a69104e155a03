// SPDX-License-Identifier: MIT
import type { AnchorKind } from '../routing/anchors.js'

/** How a client may sign in to a directory: the schemes of HTTP (RFC 9110 section 11) that we know, and our own page. */
export const SCHEMES = ['negotiate', 'ntlm', 'basic', 'bearer', 'forms'] as const
export type Scheme = (typeof SCHEMES)[number]

/** Names under `/.well-known/` that lead a client to a directory (RFC 6764 section 5, RFC 8620 section 2.2). */
export const WELL_KNOWN = ['caldav', 'carddav', 'jmap'] as const
export type WellKnown = (typeof WELL_KNOWN)[number]

/** What a directory is when only its kind is said; each key that a site writes itself counts instead. */
export interface Preset {
  /** What it is called on both sides. */
  readonly mount: string
  /** Offered as far as something serves them. */
  readonly auth: readonly Scheme[]
  readonly wellKnown: readonly WellKnown[]
  /** Where its clients write them. */
  readonly anchors: readonly AnchorKind[]
  /** Milliseconds, as the key of that name. */
  readonly responseTimeout: number
  /** Milliseconds, as the key of that name; as the site has it in general when absent. */
  readonly bodyTimeout?: number
  /** Octets a second, as the key of that name. */
  readonly uploadRate: number
  /** Octets, as the key of that name. */
  readonly maxBody: number
}

const MINUTE = 60_000
const KIB = 1024
const MIB = 1024 ** 2

const PAGES: readonly Scheme[] = ['forms', 'basic']
const WINDOWS: readonly Scheme[] = ['negotiate', 'ntlm', 'basic', 'bearer']
const TOKENS: readonly Scheme[] = ['basic', 'bearer']

/** What holds without a preset. */
export const PLAIN: Omit<Preset, 'mount'> = {
  auth: ['basic'],
  wellKnown: [],
  anchors: [],
  responseTimeout: 10 * MINUTE,
  uploadRate: 100,
  maxBody: 100 * MIB,
}

function at(mount: string, auth: readonly Scheme[], own: Partial<Preset> = {}): Preset {
  return { ...PLAIN, mount, auth, ...own }
}

/** The kinds by their names, which are also the names of their components. */
export const PRESETS = {
  owa: at('/owa', PAGES, { anchors: ['path', 'header'] }),
  ecp: at('/ecp', PAGES, { anchors: ['path', 'header'] }),
  // A stream of notifications lasts up to 30 minutes.
  ews: at('/EWS', WINDOWS, { responseTimeout: 35 * MINUTE, anchors: ['public-folder', 'header'] }),
  // A wait for notifications lasts 5 minutes.
  mapi: at('/mapi', WINDOWS, { anchors: ['mailbox-id', 'header'] }),
  // Each channel announces a body of up to 2 GiB, and may be silent up to the keep-alive that the client asks for.
  rpc: at('/rpc', ['negotiate', 'ntlm', 'basic'], {
    responseTimeout: 60 * MINUTE,
    bodyTimeout: 60 * MINUTE,
    uploadRate: 0,
    maxBody: 2048 * MIB,
    anchors: ['rpc-server', 'header'],
  }),
  oab: at('/OAB', WINDOWS, { maxBody: 64 * KIB, anchors: ['header'] }),
  // Ping and Sync wait up to 59 minutes for news.
  activesync: at('/Microsoft-Server-ActiveSync', TOKENS, { responseTimeout: 60 * MINUTE, anchors: ['user', 'header'] }),
  autodiscover: at('/autodiscover', WINDOWS, { responseTimeout: MINUTE, maxBody: 256 * KIB, anchors: ['header'] }),
  caldav: at('/caldav', TOKENS, { wellKnown: ['caldav'] }),
  carddav: at('/carddav', TOKENS, { wellKnown: ['carddav'] }),
  // An event source may be silent for as long as its client asks (RFC 8620 section 7.3).
  jmap: at('/jmap', TOKENS, { responseTimeout: 60 * MINUTE, wellKnown: ['jmap'] }),
  public: at('/public', PAGES),
} as const satisfies Record<string, Preset>

export type PresetName = keyof typeof PRESETS
export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[]
